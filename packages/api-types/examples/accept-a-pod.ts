import { Kinds, ObjectCodec, Status, Tables } from "@reddwarf/api-types"
import { Console, Effect, Either } from "effect"

const body = {
  metadata: { name: "web", namespace: "default" },
  spec: { containers: [{ name: "app", image: "nginx:1.27", resources: { limits: { cpu: 0.5 } }, prots: [] }] }
}

/** What an API server does with the body of a POST, without the server. */
const accept = (json: unknown, now: number) =>
  Either.flatMap(ObjectCodec.decode(Kinds.pod, json), ({ object, unknownFields }) => {
    const pod = Kinds.pod.defaults(Kinds.pod.prepareForCreate(Kinds.pod.defaults(object), now))
    const problems = Kinds.pod.validate(pod)
    return problems.length === 0
      ? Either.right({ pod, warnings: unknownFields })
      : Either.left(Status.invalid(Kinds.pod, pod.metadata.name ?? "", problems))
  })

const program = Effect.gen(function*() {
  const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
  const { pod, warnings } = yield* accept(body, now)
  yield* Console.log(warnings) // [ 'unknown field "spec.containers[0].prots"' ]
  yield* Console.log(pod.spec?.containers[0]?.resources) // { limits: { cpu: '500m' }, requests: { cpu: '500m' } }
  yield* Console.log(Tables.row(Kinds.pod, pod, now).cells)

  const refused = yield* Effect.flip(accept({ metadata: { name: "Web" }, spec: {} }, now))
  yield* Console.log(refused.message)
})

await Effect.runPromise(program)
