/** A node whose containers have the roots of their images, with a registry beside it. */
import { type Kind, Kinds } from "@reddwarf/api-types"
import { FakeApi } from "@reddwarf/client"
import { type ImageStore, RegistryClient } from "@reddwarf/images"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import * as h from "./harness.js"
import { imagesLayer, registry } from "./imageRegistry.js"

/** What is at hand beside the node itself. */
export type Services = h.World | ImageStore.ImageStore | RegistryClient.RegistryClient | Scope.Scope

type Failures =
  | Effect.Effect.Error<ReturnType<typeof h.agent>>
  | Layer.Layer.Error<ReturnType<typeof h.hostLayer>>
  | Layer.Layer.Error<ReturnType<typeof imagesLayer>>

/** Runs a test on it; `host` is that of the registry. The API has these kinds besides its own. */
export const withImages = <E>(
  body: (folders: h.Directories, host: string) => Effect.Effect<void, E, Services>,
  ...kinds: ReadonlyArray<Kind.Kind>
): Effect.Effect<void, E | Failures> =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const host = yield* registry
    const whole = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* h.agent(folders)
      yield* body(folders, host)
    })
    const services = imagesLayer(folders).pipe(Layer.provideMerge(Layer.merge(h.hostLayer(folders), RegistryClient.layer())))
    yield* whole.pipe(Effect.scoped, Effect.provide(services))
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, ...kinds] })), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))
