/** Asks every agent again and again what is used on its node, and keeps the answers in a window. */
import { Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberMap from "effect/FiberMap"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { prefixOf } from "../internal/keys.js"
import { addressOf } from "../internal/podTarget.js"
import type { KubeletClient, KubeletResponse, KubeletUnreachable, NodeAddress } from "../KubeletClient.js"
import type { MetricsWindow } from "./MetricsWindow.js"
import * as UsageSample from "./UsageSample.js"

/** @category models */
export interface Options {
  /** Between two questions to a node. Default 15 seconds. */
  readonly interval?: Duration.DurationInput
  /** For one question, until the last byte of the answer. Default 10 seconds. */
  readonly timeout?: Duration.DurationInput
  /** Questions under way at the same time. Default 64. */
  readonly concurrency?: number
  /** Longest answer in bytes. Default 16 MiB, enough for thousands of pods. */
  readonly maxBytes?: number
}

/** What scraping gets to work with. @category models */
export interface Sources {
  readonly cache: Context.Tag.Service<WatchCache.WatchCache>
  readonly kubelet: Context.Tag.Service<KubeletClient>
  readonly window: MetricsWindow
}

/** Questions to agents about what is used, by how they ended. @category metrics */
export const scrapes = Metric.counter("reddwarf_metrics_scrapes_total", { description: "Questions to agents about what is used, by how they ended", incremental: true })
const answered = Metric.tagged(scrapes, "result", "success")
const unanswered = Metric.tagged(scrapes, "result", "error")

/** Before a new node can be asked, and between its first answer and the next question: two are needed for a rate, and people wait for it. */
const soon = Duration.seconds(5)

/** Nodes that do not answer are asked less and less often, down to this, so that they do not hold up the others. */
const patience = Duration.minutes(1)

/** How often nodes that come and go are looked for. */
const discovery = Duration.seconds(2)

/** The agent answered, and not with what it was asked for. */
class NoUsage extends Data.TaggedError("NoUsage")<{ readonly message: string }> {}

const readAll = (response: KubeletResponse, limit: number): Effect.Effect<string, KubeletUnreachable | NoUsage> =>
  Effect.gen(function*() {
    const chunks: Array<Uint8Array> = []
    let size = 0
    for (let chunk = yield* response.next; chunk !== undefined; chunk = yield* response.next) {
      size += chunk.length
      if (size > limit) return yield* new NoUsage({ message: `the answer is longer than ${limit} bytes` })
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString("utf8")
  })

/**
 * Scrapes as long as the scope lives. Each node has its own rhythm, with a random part, so that they are not all asked at once.
 *
 * @category constructors
 */
export const run = (sources: Sources, options: Options = {}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { cache, kubelet, window } = sources
    const interval = Duration.decode(options.interval ?? "15 seconds")
    const timeout = Duration.decode(options.timeout ?? "10 seconds")
    const maxBytes = options.maxBytes ?? 16 * 1024 * 1024
    const permits = yield* Effect.makeSemaphore(options.concurrency ?? 64)
    const fibers = yield* FiberMap.make<string>()

    const scrape = (address: NodeAddress) =>
      kubelet.get(address, "/stats/summary?only_cpu_and_memory=true").pipe(
        Effect.flatMap((response) =>
          response.status === 200
            ? readAll(response, maxBytes)
            : new NoUsage({ message: `the agent answered with status ${response.status}` })
        ),
        Effect.scoped,
        Effect.disconnect,
        Effect.timeoutFail({ duration: timeout, onTimeout: () => new NoUsage({ message: `no answer within ${Duration.format(timeout)}` }) }),
        Effect.flatMap(UsageSample.parse)
      )

    /** One question; true when it was answered. */
    const ask = (node: string) =>
      Effect.suspend(() => {
        const address = addressOf(sources, node)
        return Either.isLeft(address)
          ? Effect.fail(new NoUsage({ message: address.left.message ?? "it has not reported where its agent listens" }))
          : permits.withPermits(1)(scrape(address.right))
      }).pipe(
        Effect.tap((sample) => Effect.sync(() => window.add(node, sample))),
        Effect.zipRight(Metric.increment(answered)),
        Effect.as(true),
        Effect.catchAll((error) =>
          Effect.sync(() => window.hide(node)).pipe(
            Effect.zipRight(Metric.increment(unanswered)),
            Effect.zipRight(Effect.logDebug("the usage of a node is not known", error)),
            Effect.annotateLogs({ node }),
            Effect.as(false)
          )
        )
      )

    const follow = (node: string) =>
      Effect.gen(function*() {
        let failures = 0
        let known = false
        while (true) {
          const before = known
          known = yield* ask(node)
          failures = known ? 0 : failures + 1
          const asked = Either.isRight(addressOf(sources, node))
          const pause = !asked || known && !before
            ? Duration.min(soon, interval)
            : Duration.min(Duration.times(interval, Math.max(1, failures)), Duration.max(interval, patience))
          const factor = yield* Random.nextRange(0.9, 1.1)
          yield* Effect.sleep(Duration.times(pause, factor))
        }
      }).pipe(Effect.ensuring(Effect.sync(() => window.forget(node))))

    const look = Effect.gen(function*() {
      const prefix = prefixOf(Kinds.node, undefined)
      const nodes = new Set(cache.list(prefix).map(({ key }) => key.slice(prefix.length)))
      const gone = Array.from(fibers, ([node]) => node).filter((node) => !nodes.has(node))
      for (const node of gone) yield* FiberMap.remove(fibers, node)
      for (const node of nodes) if (!(yield* FiberMap.has(fibers, node))) yield* FiberMap.run(fibers, node, follow(node))
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(discovery)))
  })
