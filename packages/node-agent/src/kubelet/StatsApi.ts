/** The paths of the kubelet API that tell what is used: `/stats/summary` and `/metrics/resource`. */
import { Exposition } from "@reddwarf/prometheus"
import * as Effect from "effect/Effect"
import * as ResourceMetrics from "../node/ResourceMetrics.js"
import * as StatsSummary from "../node/StatsSummary.js"
import type { UsageMeter } from "../node/UsageMeter.js"

/** @category models */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** The answer to a GET of these path segments; undefined when they are none of its own. @category models */
export type StatsApi = (path: ReadonlyArray<string>) => Effect.Effect<Answer> | undefined

/** @category constructors */
export const make = (nodeName: string, meter: UsageMeter): StatsApi => {
  const read = Effect.tapError(meter.read, (error) => Effect.logWarning("the usage of the host cannot be measured", error))
  const summary = read.pipe(
    Effect.match({
      onSuccess: (usage) => ({ status: 200, contentType: "application/json", body: JSON.stringify(StatsSummary.of(nodeName, usage)) }),
      onFailure: (error) => ({ status: 500, contentType: "text/plain; charset=utf-8", body: error.message })
    })
  )
  const { contentType } = Exposition
  const metrics = read.pipe(
    Effect.match({
      onSuccess: (usage) => ({ status: 200, contentType, body: ResourceMetrics.of(usage) }),
      onFailure: () => ({ status: 200, contentType, body: ResourceMetrics.failed })
    })
  )
  const answers: Readonly<Record<string, Effect.Effect<Answer>>> = { "stats/summary": summary, "metrics/resource": metrics }
  return (path) => {
    const name = path.join("/")
    return Object.hasOwn(answers, name) ? answers[name] : undefined
  }
}
