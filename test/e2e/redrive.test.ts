import { describe, expect, it } from 'vitest'
import { aRegion, aTask, release, until, waitingScript } from './a-region.ts'

describe('quench redrive', { timeout: 120_000 }, () => {
  it('after a cancel of all that ran brings the result that an undisturbed run has', async () => {
    await using region = await aRegion()
    const leave = (text: string) => `echo ${text} >"\${QUENCH_RESULT#file://}"`
    const graph = {
      name: 'again',
      tasks: [
        aTask('batch', 'one', `echo "$QUENCH_ATTEMPT" >>${region.scratch('ran-one')}; ${leave('1')}`),
        aTask('ssh', 'two', `${waitingScript(region, 'two')}; ${leave('2')}`, ['one']),
        aTask(
          'batch',
          'sum',
          `one=\${tasks.one.result}; two=\${tasks.two.result}; cat "\${one#file://}" "\${two#file://}" >"\${QUENCH_RESULT#file://}"`,
          ['one', 'two'],
        ),
      ],
    }
    const dispatchId = await region.dispatch(graph)
    await until('the second task runs', () => region.lines('ran-two').length === 1)
    expect((await region.quench('cancel', dispatchId, '--yes', '--force', '--wait')).exitCode).toBe(0)
    expect((await region.quench('watch', dispatchId)).out).toContain('again cancelled')
    expect(await region.liveTasks(dispatchId)).toEqual([])

    const dry = await region.quench('redrive', dispatchId, '--dry-run')
    expect(dry.out).toContain('2 tasks run again (2 cancelled)')
    const refused = await region.quench('redrive', dispatchId, '--tasks', 'sum')
    expect(refused).toMatchObject({ exitCode: 2 })
    expect(refused.error).toContain('needs "two" (1), which is cancelled: name that too')

    await release(region, 'two')
    const redriven = await region.quench('redrive', dispatchId.slice(0, 8), '--watch')
    expect(redriven).toMatchObject({ exitCode: 0, error: '' })
    const { dispatch, tasks } = await region.show(dispatchId)
    expect(dispatch).toMatchObject({ state: 'succeeded', redrives: 1 })
    expect(tasks.map(({ name, attempt, state }) => [name, attempt, state])).toEqual([
      ['one', 1, 'succeeded'],
      ['two', 2, 'succeeded'],
      ['sum', 1, 'succeeded'],
    ])
    expect(region.lines('ran-one'), 'what had succeeded was not run again').toEqual(['1'])
    expect(region.lines('ran-two')).toEqual(['1', '2'])
    expect(region.result(tasks[2]?.resultUri)).toBe('1\n2\n')
    expect((await region.quench('show', dispatchId)).out).toContain('redriven  once, last 20')
    expect((await region.quench('redrive', dispatchId)).out).toContain('Nothing to redrive')
  })

  it('goes on with the next server when the server is killed in the middle of it', async () => {
    await using region = await aRegion()
    const dispatchId = await region.dispatch({
      name: 'killed',
      tasks: [aTask('batch', 'only', waitingScript(region, 'only'))],
    })
    await until('the task runs', () => region.lines('ran-only').length === 1)
    await region.quench('cancel', dispatchId, '--yes', '--force', '--wait')
    await region.quench('watch', dispatchId)
    const { status } = await region.call(`/dispatches/${dispatchId}/redrive`, { method: 'POST' })
    await region.down('SIGKILL')
    expect(status).toBe(202)
    await release(region, 'only')
    await region.up()
    expect((await region.quench('watch', dispatchId)).exitCode).toBe(0)
    expect((await region.show(dispatchId)).dispatch).toMatchObject({ state: 'succeeded', redrives: 1 })
  })
})
