/** Answers what the charts and panels show, from the time index, in a process of its own. */
import { argv, exit, stdin, stdout } from 'node:process'
import { openCase } from '../store/case.ts'
import { answerQuestions } from './answering.ts'
import { viewWork } from './work/view.ts'
import { viewRowsWork } from './work/view-rows.ts'

const [caseDir = '', head = ''] = argv.slice(2)

const work = { ...viewWork, ...viewRowsWork }
answerQuestions({ stdin, stdout, exit }, () => openCase(caseDir, head === '' ? {} : { head }), work)
