/** Writes to the case and checks it, in a process of its own: that needs all the threads that there are, and may be stopped. */
import { argv, exit, stdin, stdout } from 'node:process'
import { answerQuestions } from './answering.ts'
import { addingWork } from './work/adding.ts'
import { keepingWork } from './work/keeping.ts'

const [caseDir = ''] = argv.slice(2)

answerQuestions({ stdin, stdout, exit }, () => Promise.resolve(caseDir), { ...addingWork, ...keepingWork })
