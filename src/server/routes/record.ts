/** Routes: one record, as its line stands in the file. */
import { UserError } from '../../errors.ts'
import { type Route, route } from '../route.ts'

/** No file has more lines: places are 32-bit numbers, and those around a line are asked for too. */
const lineMax = 2 ** 32 - 1000

export const recordRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/record/:file/:line',
    answer: ({ work }, { params, signal }) => {
      const { file = '', line = '' } = params
      if (!/^(\d{1,10}|[0-9a-f]{64})$/.test(file) || !/^\d{1,10}$/.test(line) || Number(line) > lineMax)
        throw new UserError('a record is named by the number or digest of its file, and its line', { status: 2 })
      return work.pass('record', { file, line: Number(line) }, { signal })
    },
  }),
]
