/** Routes: files that jobs made, each to be fetched once. */
import { Refused } from '../failure.ts'
import { type Route, route } from '../route.ts'

export const downloadRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/download/:id',
    answer: ({ downloads }, { params }) => {
      const reply = downloads.take(params['id']!)
      if (reply === null) throw new Refused(404, 'that file was fetched already', 'have it made again')
      return reply
    },
  }),
]
