/** How the four tools reach a repository: whose it is, one step on it, and how long its methods take. */
import * as Effect from "effect/Effect"
import type { Host, HostContext } from "../CommandContext.js"
import type { Result } from "../internal/result.js"
import type { StateUnavailable } from "../StateFile.js"
import * as Repository from "./Repository.js"

/** One step on an open repository. @category models */
export type Step<A> = (repository: Repository.Repository, context: HostContext) => A

/** Runs a step on the repository of a zone and keeps what it changed; the tool's refusal when there is no such repository. @category combinators */
export const step = <A>(host: Host, tool: string, zone: string, change: Step<A>): Effect.Effect<A | Result, StateUnavailable> =>
  host.step((context) => {
    const delay = host.timing.service
    const opened = Repository.open(context, zone, tool, delay)
    if ("refused" in opened) return opened.refused
    const answer = change(opened.repository, context)
    Repository.close(context, opened.repository, delay)
    return answer
  })

const POLL = "5 millis"

/** Repeats a step until it gives an answer. @category combinators */
export const until = (host: Host, tool: string, zone: string, change: Step<Result | undefined>): Effect.Effect<Result, StateUnavailable> =>
  Effect.flatMap(step(host, tool, zone, change), (answer) =>
    answer === undefined ? Effect.zipRight(Effect.sleep(POLL), Effect.suspend(() => until(host, tool, zone, change))) : Effect.succeed(answer))
