/** Cases of watches: what is written reaches everybody who follows, and how soon. */
import { meter, type Result } from "./Load.ts"
import * as Pods from "./Pods.ts"
import { RawConnection } from "./RawClient.ts"
import type { Server } from "./Server.ts"

const deadlineSeconds = 60
const NEWLINE = 0x0a
const BRACE = 0x7d
const ERROR = Buffer.from("\"type\":\"ERROR\"")
const LAST_CHUNK = Buffer.from("0\r\n\r\n")

/** One watch as its client sees it. */
interface Follower {
  readonly connection: RawConnection
  started: boolean
  /** Why it ended, once it has. */
  ended: string | undefined
  received: number
}

/** Told of every event: it is the `n`th one of its watch. */
type OnEvent = (n: number, now: number) => void

/**
 * Follows the pods of the common namespace from `revision` on. Events are counted by their ends, a brace and a line feed that no JSON has
 * inside; the two may come in different pieces.
 */
const follow = async (server: Server, revision: string, onEvent: { current: OnEvent }): Promise<Follower> => {
  const connection = await RawConnection.open(server.target)
  const follower: Follower = { connection, started: false, ended: undefined, received: 0 }
  let last = 0
  connection.stream(`${Pods.PODS}?watch=true&resourceVersion=${revision}`, {
    onData: (data) => {
      if (!follower.started) {
        const status = data.toString("latin1", 9, 12)
        if (status === "200") follower.started = true
        else follower.ended = `refused with ${status}`
      }
      const now = performance.now()
      for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) {
        if ((at === 0 ? last : data[at - 1]) === BRACE) onEvent.current(follower.received++, now)
      }
      last = data[data.length - 1] ?? last
      // Whatever stands in the last line tells why: an event of type ERROR, or nothing.
      if (data.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)) follower.ended ??= data.includes(ERROR) ? "ended with an error" : "ended by the server"
    },
    onEnd: () => {
      follower.ended ??= "cut off"
    }
  })
  return follower
}

const until = async (condition: () => boolean): Promise<boolean> => {
  const deadline = performance.now() + deadlineSeconds * 1000
  while (!condition()) {
    if (performance.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return true
}

/** What one watch case is. */
export interface Fanout {
  readonly watchers: number
  /** Connections that write at the same time, each as soon as its last write was answered. */
  readonly writers: number
  readonly writes: number
  /** Milliseconds between two writes instead, by a single writer. */
  readonly pace?: number
}

const listRevision = async (connection: RawConnection): Promise<string> => {
  const answer = await connection.request("GET", `${Pods.PODS}?limit=1`)
  Pods.expect(answer, 200, "list")
  const { metadata } = JSON.parse(answer.body.toString("utf8")) as { metadata: { resourceVersion: string } }
  return metadata.resourceVersion
}

let changes = 0

const write = async (connection: RawConnection, writer: number): Promise<void> => {
  // A value that no other case writes: what changes nothing is no event.
  const body = `{"metadata":{"annotations":{"example.com/n":"watch-${String(changes++)}"}}}`
  Pods.expect(await connection.request("PATCH", `${Pods.PODS}/pod-${String(writer)}`, body, "application/merge-patch+json"), 200, "patch")
}

/** Writes in all; `sentAt` is told when each write begins. */
const writeAll = async (writers: ReadonlyArray<RawConnection>, writes: number, pace: number | undefined, sentAt: Array<number>): Promise<void> => {
  const began = performance.now()
  await Promise.all(writers.map(async (connection, writer) => {
    while (sentAt.length < writes) {
      const wait = pace === undefined ? 0 : began + sentAt.length * pace - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      sentAt.push(performance.now())
      await write(connection, writer)
    }
  }))
}

/** How many watches did not last, by reason. */
const endings = (followers: ReadonlyArray<Follower>): string => {
  const reasons = new Map<string, number>()
  for (const { ended } of followers) if (ended !== undefined) reasons.set(ended, (reasons.get(ended) ?? 0) + 1)
  return reasons.size === 0 ? "no watch ended" : [...reasons].map(([reason, count]) => `${String(count)} watches ${reason}`).join(", ")
}

const name = ({ pace, watchers, writers }: Fanout): string => {
  const by = pace === undefined ? `${String(writers)} ${writers === 1 ? "writer" : "writers"}` : `${String(1000 / pace)} writes/s`
  return `watch, ${String(watchers)} watchers, ${by}`
}

/**
 * Writes while many watch. Operations are events that arrived. Latencies are from the begin of a write to the arrival of its event; with
 * one writer the nth event of each watch is that of the nth write, with several nobody knows without reading them all.
 */
export const fanout = (shape: Fanout) => async (server: Server): Promise<Result> => {
  const { pace, watchers, writers, writes } = shape
  await Pods.ensure(server, Pods.NAMESPACE, 1000)
  const writing = await Promise.all(Array.from({ length: writers }, () => RawConnection.open(server.target)))
  const revision = await listRevision(writing[0] ?? await RawConnection.open(server.target))
  const onEvent: { current: OnEvent } = { current: () => {} }
  const followers: Array<Follower> = []
  // Not all at once: the handshakes alone would take seconds, and are not what is measured.
  while (followers.length < watchers) {
    const group = Math.min(50, watchers - followers.length)
    followers.push(...await Promise.all(Array.from({ length: group }, () => follow(server, revision, onEvent))))
  }
  const all = (count: number) => () => followers.every(({ ended, received }) => ended !== undefined || received >= count)
  try {
    if (!(await until(() => followers.every(({ ended, started }) => started || ended !== undefined)))) throw new Error(`not all of ${String(watchers)} watches began within ${String(deadlineSeconds)} s`)
    const warm = Math.min(50, writes)
    await writeAll(writing, warm, undefined, [])
    const ready = await until(all(warm))
    const sentAt: Array<number> = []
    const latencies: Array<number> = []
    let events = 0
    onEvent.current = (n, now) => {
      events++
      const sent = writers === 1 ? sentAt[n - warm] : undefined
      if (sent !== undefined) latencies.push(now - sent)
    }
    const measured = meter(server)
    if (ready) await writeAll(writing, writes, pace, sentAt)
    const complete = await until(all(warm + writes))
    const missing = followers.filter(({ ended, received }) => ended === undefined && received < warm + writes).length
    const note = [endings(followers), ...(complete ? [] : [`${String(missing)} watches lack events after ${String(deadlineSeconds)} s`])]
    return measured.result(name(shape), events, latencies, note.join(", "))
  } finally {
    for (const connection of [...writing, ...followers.map((each) => each.connection)]) connection.close()
  }
}
