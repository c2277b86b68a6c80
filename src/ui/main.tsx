/** The page of the workbench. */
import './theme.css'
import { render } from 'preact'
import { listen, loadCase } from './api.ts'
import { App } from './parts/app.tsx'

render(<App />, document.body)
listen()
void loadCase()
