import { open, readFile, rename, writeFile } from 'node:fs/promises'

/** A record, or what changed of it: replayed in order, later fields win. */
export interface JournalEntry {
  readonly jobId: string
}

export interface Journal<Entry extends JournalEntry> {
  /**
   * Resolves when the entry is with the operating system: it survives the death of this process, not a power cut.
   * Entries that arrive during a write share the next one; the order is kept. One that could not be written, since the
   * disk was full, is written with the next that can: whoever awaits it hears of it all the same.
   */
  append(entry: Entry): Promise<void>
  /** Append within 25 ms, together with others: for what a restart would find out by itself. */
  appendLater(entry: Entry): void
  close(): Promise<void>
}

const laterMs = 25

/** The records of a journal, merged. The last line may be torn, when its writer was killed: it was never answered. */
export async function readJournal<Entry extends JournalEntry>(file: string): Promise<Map<string, Entry>> {
  const records = new Map<string, Entry>()
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  for (const line of text.split('\n')) {
    const entry = parseLine<Entry>(line)
    if (entry) records.set(entry.jobId, { ...records.get(entry.jobId), ...entry })
  }
  return records
}

/** Start a journal anew with `records`, in place of the old file in one step, and append to it from now on. */
export async function startJournal<Entry extends JournalEntry>(
  file: string,
  records: Iterable<Entry>,
): Promise<Journal<Entry>> {
  const lines = Array.from(records, (record) => `${JSON.stringify(record)}\n`)
  await writeFile(`${file}.new`, lines.join(''))
  await rename(`${file}.new`, file)
  const handle = await open(file, 'a')

  let pending: string[] = []
  let next: Promise<void> | undefined
  let later: NodeJS.Timeout | undefined
  let last = Promise.resolve()
  let isTorn = false

  const write = async () => {
    clearTimeout(later)
    later = undefined
    const batch = pending
    pending = []
    next = undefined
    try {
      // Half a line may be there from a write that failed: what follows begins on a line of its own.
      await handle.appendFile(`${isTorn ? '\n' : ''}${batch.join('')}`)
      isTorn = false
    } catch (error) {
      isTorn = true
      pending.unshift(...batch)
      throw error
    }
  }

  const flush = () => {
    next ??= last = last.then(write, write)
    return next
  }
  // A full disk: it goes with the next write, and whoever awaits an append hears of it.
  const flushLater = () => flush().catch(() => undefined)

  return {
    append: (entry) => {
      pending.push(`${JSON.stringify(entry)}\n`)
      return flush()
    },
    appendLater: (entry) => {
      pending.push(`${JSON.stringify(entry)}\n`)
      later ??= setTimeout(flushLater, laterMs)
    },
    close: async () => {
      await flushLater()
      await handle.close()
    },
  }
}

function parseLine<Entry>(line: string): Entry | undefined {
  try {
    return line === '' ? undefined : JSON.parse(line)
  } catch {
    return undefined
  }
}
