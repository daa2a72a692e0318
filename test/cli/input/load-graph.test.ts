import { describe, expect, it } from 'vitest'
import { loadGraph } from '../../../lib/cli/input/load-graph.ts'
import { InvalidInput } from '../../../lib/domain/errors.ts'

const source = { file: 'graphs/pi.json', directory: '/home/ada/graphs' }
const load = (graph: unknown) => loadGraph(JSON.stringify(graph), source)

describe('loadGraph', () => {
  it('puts the directory of the file into every string of the options and defaults', () => {
    const graph = {
      name: 'a ${graphDir} b',
      defaults: { batch: { environment: { DATA: '${graphDir}/data' } } },
      tasks: [
        { name: 'split', executor: 'batch', options: { command: ['node', '${graphDir}/a:${graphDir}/b', 7, null] } },
        { name: 'reduce', executor: 'ssh' },
      ],
    }
    expect(load(graph)).toEqual({
      name: 'a ${graphDir} b',
      defaults: { batch: { environment: { DATA: '/home/ada/graphs/data' } } },
      tasks: [
        {
          name: 'split',
          executor: 'batch',
          options: { command: ['node', '/home/ada/graphs/a:/home/ada/graphs/b', 7, null] },
        },
        { name: 'reduce', executor: 'ssh' },
      ],
    })
  })

  it('takes the directory as it is, whatever signs it holds', () => {
    const text = '{"tasks":[{"options":{"command":"${graphDir}"}}]}'
    const graph = loadGraph(text, { ...source, directory: '/tmp/$& $1' })
    expect(graph).toEqual({ tasks: [{ options: { command: '/tmp/$& $1' } }] })
  })

  it('leaves other references alone', () => {
    const graph = { tasks: [{ name: 'a', options: { command: '${tasks.split.result}' } }] }
    expect(load(graph)).toEqual(graph)
  })

  it.each([[7], [null], [[1]], ['x'], [{ tasks: 'none' }], [{ tasks: [1, null] }], [{ tasks: [{ options: 3 }] }]])(
    'leaves %j to the server to refuse',
    (graph) => {
      expect(load(graph)).toEqual(graph)
    },
  )

  it('names file, line and column of what is not JSON', () => {
    expect(() => loadGraph('{\n  "name": pi\n}', source)).toThrow(InvalidInput)
    expect(() => loadGraph('{\n  "name": pi\n}', source)).toThrow(
      "graphs/pi.json is not JSON: line 2, column 11: Unexpected token 'p'",
    )
  })
})
