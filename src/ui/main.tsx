/** The page of the workbench. */
import './all.css'
import { render } from 'preact'
import { listen, loadCase } from './api.ts'
import { App } from './parts/app.tsx'
import { listenToKeys } from './parts/keyboard.ts'

render(<App />, document.body)
listenToKeys()
listen()
void loadCase()
