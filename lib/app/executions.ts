/**
 * The loops that run dispatches: a Step Functions state machine on AWS, a loop of our own in the embedded region. Each
 * repeats turn → act → rest for one dispatch and one epoch.
 */
export interface Executions {
  /** Start the loop of this epoch. Harmless where it runs already. */
  start(dispatchId: string, epoch: number): Promise<void>
  /** Stop the loop of this epoch, wherever it is. Harmless where there is none. */
  stop(dispatchId: string, epoch: number): Promise<void>
  /** There is news: end the rest of whatever loop runs this dispatch. Never lost, may come too often. */
  wake(dispatchId: string): Promise<void>
}
