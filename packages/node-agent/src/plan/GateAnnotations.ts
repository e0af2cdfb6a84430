/** The gates of a pod, as its annotations describe them. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import { Gate } from "@reddwarf/plans"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** Annotations by which a pod has gates. @category models */
export const names = {
  container: "reddwarf.io/sidecar-gate",
  port: "reddwarf.io/sidecar-gate-port",
  healthPath: "reddwarf.io/sidecar-gate-health-path",
  approvePath: "reddwarf.io/sidecar-gate-approve-path",
  format: "reddwarf.io/sidecar-gate-approve-format",
  approval: "reddwarf.io/sidecar-gate-approval",
  gates: "reddwarf.io/gates"
} as const

/** The most gates a pod may have; so many fit into the status. @category models */
export const mostGates = 16

/** Whether the pod has gates, be they described well or not. @category combinators */
export const hasGates = ({ metadata: { annotations } }: CoreV1.Pod): boolean =>
  (annotations?.[names.container] ?? "") !== "" || (annotations?.[names.gates] ?? "") !== ""

const decodeGate = Schema.decodeUnknownEither(Gate.Gate)
const decodeGates = Schema.decodeUnknownEither(Schema.parseJson(Schema.Array(Gate.Gate).pipe(Schema.maxItems(mostGates))))

const problem = (annotation: string, error: ParseResult.ParseError): string =>
  `annotation ${annotation}: ${ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")}`

const sidecarOf = (pod: CoreV1.Pod): Either.Either<ReadonlyArray<Gate.Gate>, string> => {
  const annotations = pod.metadata.annotations ?? {}
  const container = annotations[names.container] ?? ""
  if (container === "") return Either.right([])
  const known = [...pod.spec?.containers ?? [], ...pod.spec?.initContainers ?? []].some(({ name }) => name === container)
  if (!known) return Either.left(`annotation ${names.container}: the pod has no container ${JSON.stringify(container)}`)
  const port = Number(annotations[names.port] ?? 7777)
  const gate = decodeGate({
    name: Gate.sidecar,
    probe: { httpGet: { port, path: annotations[names.healthPath] ?? "/v0/healthz" } },
    approve: { httpPost: { port, path: annotations[names.approvePath] ?? "/v0/tasks", format: annotations[names.format] ?? "task" } },
    approval: annotations[names.approval] ?? "Always"
  })
  return Either.isLeft(gate) ? Either.left(problem(names.container, gate.left)) : Either.right([gate.right])
}

/**
 * The gates of the pod, the sidecar gate first. On the left side what is wrong with its annotations: then none of its gates can be asked.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod): Either.Either<ReadonlyArray<Gate.Gate>, string> => {
  const sidecar = sidecarOf(pod)
  const text = pod.metadata.annotations?.[names.gates] ?? ""
  if (Either.isLeft(sidecar) || text === "") return sidecar
  const generic = decodeGates(text)
  if (Either.isLeft(generic)) return Either.left(problem(names.gates, generic.left))
  const all = [...sidecar.right, ...generic.right]
  const twice = all.find(({ name }, at) => all.findIndex((other) => other.name === name) !== at)
  if (twice !== undefined) return Either.left(`annotation ${names.gates}: two gates have the name ${JSON.stringify(twice.name)}`)
  return all.length > mostGates ? Either.left(`annotation ${names.gates}: a pod has at most ${mostGates} gates`) : Either.right(all)
}
