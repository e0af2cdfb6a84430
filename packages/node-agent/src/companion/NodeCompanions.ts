/** The companions that every node has. */
import * as healthEndpoint from "../internal/healthEndpoint.js"
import type { Companion } from "./Companion.js"

/** Where things are on the host; absolute paths. @category models */
export interface Options {
  /** Node.js. */
  readonly node: string
  /** The file `reddwarf-agent.js`. */
  readonly program: string
  readonly nodeName: string
  /** Data directory of the agent. */
  readonly dataDir: string
  readonly kubeconfig: string
  /** Settings of the health endpoint; absent when it has no file. */
  readonly config?: string
  /** Address and port of the health endpoint. Default that of the endpoint. */
  readonly listen?: string
}

/**
 * The health endpoint of the node: on its own, so that an agent that hangs cannot answer for it.
 *
 * @category constructors
 */
export const nodeHealth = ({ config, dataDir, kubeconfig, listen, node, nodeName, program }: Options): Companion => ({
  name: "node-health",
  scope: "node",
  template: {
    description: "Reddwarf node health endpoint",
    command: [
      node,
      program,
      "node-health",
      "--node-name",
      nodeName,
      "--kubeconfig",
      kubeconfig,
      "--agent-data-dir",
      dataDir,
      ...(config === undefined ? [] : ["--settings", config]),
      ...(listen === undefined ? [] : ["--listen", listen])
    ],
    // Its lame duck lasts 15 seconds unless set otherwise.
    stopSeconds: 60
  },
  ...(listen === undefined || config !== undefined ? {} : { healthTest: healthEndpoint.isAlive(listen) }),
  restartOnChange: true,
  critical: true
})

/** @category constructors */
export const of = (options: Options): ReadonlyArray<Companion> => [nodeHealth(options)]
