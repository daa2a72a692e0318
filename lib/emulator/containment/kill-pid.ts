/** SIGKILL to a pid that cannot be another's by now, since what holds it is frozen or asked in the same moment. */
export function killPid(pid: number): void {
  if (!(pid > 0)) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone, or of another user whom we may not signal: then its group stays populated, and whoever waits goes on waiting.
  }
}
