/** Answers questions that take longer than a moment, in a process of its own: rows, fields, dossiers, reports. */
import { argv, exit, stdin, stdout } from 'node:process'
import { openCase } from '../store/case.ts'
import { answerQuestions } from './answering.ts'
import { allWork } from './work/all.ts'

const [caseDir = '', head = ''] = argv.slice(2)

answerQuestions({ stdin, stdout, exit }, () => openCase(caseDir, head === '' ? {} : { head }), allWork)
