/** Where a server is and how to prove who one is to it, from a kubeconfig file. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { KubeConfig } from "@reddwarf/client"
import { Effect, Redacted } from "effect"
import type { Target } from "./RawClient.ts"

/** Reads the current context of a kubeconfig file; `url` replaces the address of its server. */
export const read = (file: string, url?: string): Promise<Target> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const config = yield* KubeConfig.load(file)
      const address = new URL(url ?? config.server)
      if (address.protocol !== "https:") return yield* Effect.dieMessage(`${address.href}: only https servers can be measured`)
      const token = config.token === undefined ? undefined : Redacted.value(yield* config.token)
      return {
        host: address.hostname.replace(/^\[|\]$/g, ""),
        port: Number(address.port === "" ? 443 : address.port),
        authority: address.host,
        path: address.pathname.replace(/\/$/, ""),
        verify: !config.insecureSkipTlsVerify,
        ...(config.tlsServerName === undefined ? {} : { serverName: config.tlsServerName }),
        ...(config.ca === undefined ? {} : { ca: config.ca }),
        ...(config.cert === undefined ? {} : { cert: config.cert }),
        ...(config.key === undefined ? {} : { key: Redacted.value(config.key) }),
        ...(token === undefined ? {} : { token })
      }
    }).pipe(Effect.provide(NodeContext.layer))
  )
