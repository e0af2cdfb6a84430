/** All checks of a host, for an agent with given settings. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import type * as Effect from "effect/Effect"
import * as ApiServerProbe from "../node/ApiServerProbe.js"
import type { Check } from "./HostCheck.js"
import * as Network from "./HostCheckNetwork.js"
import * as Services from "./HostCheckServices.js"
import * as Storage from "./HostCheckStorage.js"
import * as System from "./HostCheckSystem.js"

/** What the agent will be told. @category models */
export interface Settings {
  /** The agent's data directory. */
  readonly dataDir: string
  /** The pool, or the dataset below one, that holds everything. */
  readonly storagePool: string
  /** Brands that pods shall have. */
  readonly brands: ReadonlyArray<string>
  /** The API server, when it is known; the checks that need it are left out otherwise. */
  readonly server?: URL
  /** PEM text of the authority of the API server. */
  readonly ca?: string
  /** Version of Node.js that runs the agent. */
  readonly nodeVersion: string
  /** Process of the agent, whose privileges are looked at. */
  readonly pid: number
  /** Looks at the space of a directory; tests give another one. */
  readonly space?: (directory: string) => Effect.Effect<Storage.Space, { readonly message: string }>
}

/**
 * Every check, the most important first.
 *
 * @category constructors
 */
export const of = (settings: Settings): ReadonlyArray<Check<CommandRunner.CommandRunner>> => {
  const { ca, server } = settings
  const ask = server === undefined ? undefined : ApiServerProbe.ask(server, ca)
  return [
    System.system,
    System.privileges(settings.pid),
    System.node(settings.nodeVersion),
    System.dialect,
    System.brands(settings.brands),
    Storage.pool(settings.storagePool),
    Storage.dataDirectory(settings.dataDir, settings.space),
    System.memory,
    System.scheduling,
    Network.links,
    Network.forwarding,
    Network.translation,
    Network.names(server),
    Network.clock(ask),
    Services.services,
    Services.zones,
    ...(server === undefined || ask === undefined ? [] : [Network.apiServer(server, ask)])
  ]
}
