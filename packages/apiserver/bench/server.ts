/** The server that `load.ts` measures: SQLite in the directory given as argument. Prints one line of JSON when it serves. */
import { Certificates, HttpsEdge, Server } from "@reddwarf/apiserver"
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect, Layer } from "effect"
import * as NodePath from "node:path"

const directory = process.argv[2] ?? "."

const program = Effect.gen(function*() {
  const { url } = yield* HttpsEdge.HttpsEdge
  const certificates = yield* Certificates.Certificates
  const { cert, key } = yield* certificates.client("admin", "kubernetes-admin", ["system:masters"])
  yield* Console.log(JSON.stringify({ url, ca: certificates.authority, cert, key }))
  return yield* Effect.never
})

const live = Server.layer({ edge: { port: 0 } }).pipe(
  Layer.provideMerge(Certificates.layer({ directory: NodePath.join(directory, "pki") })),
  Layer.provide(ObjectStore.layerSqlite({ path: NodePath.join(directory, "store.db") }))
)

await Effect.runPromise(Effect.scoped(Effect.provide(program, live)))
