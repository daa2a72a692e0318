import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actsPerTurn, packActions, unpackAction } from '../../../lib/aws/executions/take-turn.ts'
import { readRanges, writeRanges } from '../../../lib/aws/executions/task-ranges.ts'
import type { Action, AttemptId } from '../../../lib/domain/turn/action.ts'
import { actRequest } from '../../../lib/schema/lambda.ts'
import { someId, someTime } from '../../support/builders.ts'

const attempts = (count: number, step = 1): AttemptId[] =>
  Array.from({ length: count }, (_, n) => ({ taskId: n * step, attempt: 1 }))

const anAction = (changes: Partial<Action> = {}): Action => ({
  kind: 'poll',
  executor: 'batch',
  epoch: 1,
  tasks: attempts(3),
  ...changes,
})

describe('attempts in few characters', () => {
  test.each([
    ['', []],
    ['7:2', [{ taskId: 7, attempt: 2 }]],
    ['0-2:1', attempts(3)],
    ['0:1 2:1', attempts(2, 2)],
  ])('are "%s"', (text, tasks) => {
    expect(writeRanges(tasks)).toBe(text)
    expect(readRanges(text)).toEqual(tasks)
  })

  test('come back as they were, whatever they are', async () => {
    const anAttempt = fc.record({ taskId: fc.nat(9999), attempt: fc.integer({ min: 1, max: 3 }) })
    await fc.assert(
      fc.property(fc.array(anAttempt, { maxLength: 200 }), (tasks) => {
        expect(readRanges(writeRanges(tasks))).toEqual(tasks)
      }),
    )
  })
})

describe('the actions of a turn', () => {
  test.each([
    anAction(),
    anAction({ kind: 'submit', tasks: [], pack: 'samples' }),
    anAction({ kind: 'submit', redrives: 3 }),
    anAction({ kind: 'cancel', mode: 'force', reason: 'enough' }),
  ])('reach the act as they were planned', (action) => {
    const [packed] = packActions([action], someTime)
    const received = actRequest.parse(JSON.parse(JSON.stringify({ dispatchId: someId, action: packed })))
    expect(unpackAction(received.action)).toEqual(action)
  })

  test('of 10,000 live jobs fit the state of an execution, however they lie', () => {
    for (const step of [1, 3]) {
      const polls = Array.from({ length: 100 }, (_, n) =>
        anAction({ tasks: attempts(100, step).map(({ taskId }) => ({ taskId: taskId + n * 100 * step, attempt: 1 })) }),
      )
      const packed = packActions(polls, someTime)
      expect(packed).toHaveLength(100)
      expect(JSON.stringify(packed).length).toBeLessThan(200 * 1024)
    }
  })

  test('are as many as one pass takes, and which are left out changes from second to second', () => {
    const many = Array.from({ length: actsPerTurn + 100 }, (_, n) => anAction({ executor: `e${n}` }))
    const sent = new Set<string>()
    for (let second = 0; second < many.length; second++) {
      const packed = packActions(many, someTime + second * 1000)
      expect(packed).toHaveLength(actsPerTurn)
      for (const { executor } of packed) sent.add(executor)
    }
    expect(sent.size).toBe(many.length)
  })

  test('with long reasons are cut where they would not fit', () => {
    const kills = Array.from({ length: 300 }, () => anAction({ kind: 'cancel', reason: 'ü'.repeat(1024) }))
    const packed = packActions(kills, someTime)
    expect(packed.length).toBeGreaterThan(50)
    expect(Buffer.byteLength(JSON.stringify(packed))).toBeLessThan(256 * 1024)
  })
})
