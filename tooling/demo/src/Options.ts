import { isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

export const repository = fileURLToPath(new URL("../../..", import.meta.url))

export const USAGE = `usage: npm run demo -- [--data-dir DIR] [--port N] [--nodes K]

Starts a control plane and K nodes on simulated illumos hosts, applies examples/hello.yaml and shows what runs until Ctrl-C.
  --data-dir DIR   where everything is kept; a second start continues there (default .reddwarf)
  --port N         loopback port of the API server (default 6443); the pods' addresses follow from it
  --nodes K        number of nodes, 1 to 16 (default 1)
`

export interface Options {
  readonly directory: string
  readonly port: number
  readonly nodes: number
}

/** A demo has sixteen networks of 256 addresses, one for each node it may have. Those that hold 127.0.x and 127.255.x are nobody's. */
const firstBlock = 16
const blocks = 254 * 16

const defaultPort = 6443

/** The block of a demo on the default port: 127.88.0.0/20. */
const defaultBlock = 88 * 16

/**
 * Addresses of the pods of one node. They follow from the demo's port, so that demos which can run at the same time on one machine do not
 * disturb each other, and a second start on the same port finds its pods where they were.
 */
export const podCidr = ({ port }: Pick<Options, "port">, node: number): string => {
  const block = firstBlock + (defaultBlock - firstBlock + port - defaultPort + 2 * blocks) % blocks
  return `127.${String(block >> 4)}.${String((block & 15) * 16 + node)}.0/24`
}

/** Reads the command line; a string is what is wrong with it. */
export const parse = (args: ReadonlyArray<string>): Options | string => {
  try {
    const { values } = parseArgs({
      // npm passes its own `--` through when it is given twice.
      args: args.filter((arg) => arg !== "--"),
      options: {
        "data-dir": { type: "string", default: ".reddwarf" },
        port: { type: "string", default: String(defaultPort) },
        nodes: { type: "string", default: "1" },
        help: { type: "boolean", default: false }
      }
    })
    if (values.help) return ""
    const [port, nodes] = [Number(values.port), Number(values.nodes)]
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return `--port ${values.port}: must be a number from 1 to 65535`
    if (!Number.isInteger(nodes) || nodes < 1 || nodes > 16) return `--nodes ${values.nodes}: must be a number from 1 to 16`
    const directory = isAbsolute(values["data-dir"]) ? values["data-dir"] : join(repository, values["data-dir"])
    return { directory, port, nodes }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
