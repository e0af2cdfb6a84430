/** A client whose connection to the in-memory API can be cut: its process is then alone, as after a crash or behind a broken network. */
import { ApiClient, FakeApi, Transport } from "@reddwarf/client"
import { Context, Effect, Layer, Stream } from "effect"

export interface Line {
  readonly client: ApiClient.Service
  /** Nothing gets through from now on, watches included. */
  readonly cut: () => void
  readonly mend: () => void
}

export const make = Effect.gen(function*() {
  const { transport } = yield* FakeApi.FakeApi
  let isCut = false
  const broken = (request: Transport.Request) =>
    new Transport.TransportFailure({ method: request.method, path: request.path, server: "fake", reason: "Connect", detail: "cut by the test" })
  const guarded = <A, R>(request: Transport.Request, effect: Effect.Effect<A, Transport.TransportFailure, R>) =>
    Effect.suspend(() => isCut ? Effect.fail(broken(request)) : effect)
  const layer = ApiClient.layer.pipe(Layer.provide(Layer.succeed(Transport.Transport, {
    request: (request) => guarded(request, transport.request(request)),
    open: (request) =>
      guarded(request, Effect.map(transport.open(request), (response) => ({
        ...response,
        body: Stream.mapEffect(response.body, (chunk) => guarded(request, Effect.succeed(chunk)))
      })))
  })))
  const context = yield* Layer.build(layer)
  const line: Line = {
    client: Context.get(context, ApiClient.ApiClient),
    cut: () => { isCut = true },
    mend: () => { isCut = false }
  }
  return line
})
