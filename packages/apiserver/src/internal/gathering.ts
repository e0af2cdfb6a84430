/**
 * Requests that start together. A request alone finds that the code and the data it needs have left the caches of the processor since
 * the last one, so ten that run one after the other cost far less than ten that come one by one between other work. Plain
 * functions: they are here for speed.
 */

/** Takes what is to start. */
export type Gathering = (start: () => void) => void

/** So many start without further waiting. */
const enough = 64

const make = (later: (run: () => void) => void): Gathering => {
  let waiting: Array<() => void> = []
  const begin = () => {
    const starts = waiting
    waiting = []
    for (const start of starts) start()
  }
  return (start) => {
    if (waiting.push(start) === 1) later(begin)
    else if (waiting.length >= enough) begin()
  }
}

/** Starts together what comes within one turn of the event loop: all that the connections had to say. */
export const ofTurn = (): Gathering => make(setImmediate)

const heartbeats = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/"

/** Is a request the heartbeat of a node, for whose answer nobody waits? */
export const isHeartbeat = (method: string, url: string): boolean => method === "PUT" && url.startsWith(heartbeats)

/**
 * Starts together what comes within so many milliseconds: heartbeats come evenly spread, and the wait is nothing beside the seconds between
 * two of one node.
 */
export const ofMillis = (millis: number): Gathering => make((run) => setTimeout(run, millis))
