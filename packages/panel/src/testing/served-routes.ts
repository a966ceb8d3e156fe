import type { Panel } from '../panel.ts'

/** The routes that the server really has, as `METHOD /path/{param}`, read off its own tree; without the pages at /docs and the web page's files. */
export function servedRoutes({ app }: Pick<Panel, 'app'>): string[] {
  const tree = app.printRoutes({ commonPrefix: false })
  const path: string[] = []
  const routes = tree.split('\n').flatMap((line) => {
    const match = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/u.exec(line)
    if (!match) return []
    const [, indent = '', part = '', methods = ''] = match
    path.length = indent.length / 4
    path.push(part)
    const full = path
      .join('')
      .replace(/:(\w+)/g, '{$1}')
      .replace(/\b\}\*$/, '}/{*}')
    return methods
      .split(', ')
      .filter((method) => method !== '' && method !== 'HEAD' && method !== 'OPTIONS')
      .map((method) => `${method} ${full}`)
  })
  return routes.filter((route) => !/ \/docs| \/?\*/.test(route))
}
