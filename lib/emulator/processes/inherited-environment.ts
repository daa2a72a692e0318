/** Of the server's own environment, what a program needs; no credentials. */
const passed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']

/** What every job gets from the environment of the server. */
export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}
