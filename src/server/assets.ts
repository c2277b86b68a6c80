/** The page's own files, read once: nothing else on the disk can be asked for. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Asset {
  type: string
  body: Buffer
}

export interface Assets {
  /** The file at a path of the page; the page itself for every path that it shows. Null: there is none. */
  get(path: string, nonce: string): Asset | null
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
}

/** First parts of the paths that are pages. */
const pages = new Set([
  '',
  'hosts',
  'host',
  'connection',
  'record',
  'fields',
  'graph',
  'flows',
  'sql',
  'evidence',
  'controls',
  'report',
  'notes',
])

/** Whether the page shows something at a path. */
export function isPagePath(path: string): boolean {
  const [, first = ''] = path.split('/')
  return pages.has(first)
}

export function loadAssets(folder = fileURLToPath(new URL('../ui/', import.meta.url))): Assets {
  const files = new Map<string, Asset>()
  for (const name of readdirSync(folder)) {
    const type = types[extname(name)]
    if (type !== undefined) files.set(`/${name}`, { type, body: readFileSync(join(folder, name)) })
  }
  return {
    get: (path, nonce) => {
      if (isPagePath(path)) return { type: 'text/html; charset=utf-8', body: Buffer.from(pageText(nonce)) }
      return files.get(path) ?? null
    },
  }
}

function pageText(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="nonce" content="${nonce}">
<title>Tidemark</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/app.css">
<script type="module" src="/app.js"></script>
</head>
<body></body>
</html>
`
}
