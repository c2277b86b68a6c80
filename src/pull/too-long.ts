/** What an engine cannot be asked in one statement. */
import { UserError } from '../errors.ts'

/** More hosts or endpoints than a statement has room for: fewer must be asked for. */
export class QuestionTooLong extends UserError {}
