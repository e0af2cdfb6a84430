/** The settings of `reddwarf-server serve`. */
import { Options } from "@effect/cli"
import { ServiceAddresses } from "@reddwarf/apiserver"
import { Settings, TelemetrySettings } from "@reddwarf/cli"
import { Option } from "effect"
import { isIP } from "node:net"
import * as SchedulerFile from "./SchedulerFile.js"
import * as SchedulerPlugins from "./SchedulerPlugins.js"

export interface Bind {
  readonly host: string
  readonly port: number
}

/** Reads `HOST:PORT`, with IPv6 hosts in brackets. */
export const parseBind = (text: string): Option.Option<Bind> => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6) ? Option.none() : Option.some({ host, port })
}

const words = (text: string): ReadonlyArray<string> => text.split(",").map((word) => word.trim()).filter((word) => word !== "")

export const dataDir = Settings.orElse(Settings.text("data-dir"), "/var/lib/reddwarf", "where objects and certificates are kept; created with mode 0700")

export const options = {
  config: Settings.file,
  dataDir,
  bind: Settings.text("bind").pipe(
    Options.withDefault("127.0.0.1:6443"),
    Options.filterMap(parseBind, "bind must be HOST:PORT, such as 127.0.0.1:6443 or [::1]:6443"),
    Options.withDescription("address and port to listen on; loopback unless given")
  ),
  kubeconfigOut: Settings.text("kubeconfig-out").pipe(
    Options.optional,
    Options.withDescription("write an administrator's kubeconfig to this file (mode 0600)")
  ),
  advertise: Settings.text("advertise").pipe(
    Options.optional,
    Options.withDescription("HOST:PORT by which clients reach this server; default: the bind address")
  ),
  names: Settings.text("tls-san").pipe(
    Options.withDefault(""),
    Options.map(words),
    Options.withDescription("more DNS names and addresses for the server's own certificate, joined by commas")
  ),
  cert: Settings.text("tls-cert").pipe(Options.optional, Options.withDescription("PEM certificate chain of the server, instead of its own")),
  key: Settings.text("tls-key").pipe(Options.optional, Options.withDescription("PEM private key of the server")),
  tokenFile: Settings.text("token-file").pipe(
    Options.optional,
    Options.withDescription("file of bearer tokens, one a line: token,user,uid,\"group1,group2\"")
  ),
  serviceNetwork: Settings.text("service-network").pipe(
    Options.withDefault(ServiceAddresses.defaultNetwork),
    Options.filterMap(
      (text) => ServiceAddresses.isNetwork(text) ? Option.some(text) : Option.none(),
      "service-network must be an IPv4 network of 8 to 30 bits, such as 10.96.0.0/12"
    ),
    Options.withDescription("IPv4 network that services get their addresses from")
  ),
  issuer: Settings.orElse(Settings.text("service-account-issuer"), "https://kubernetes.default.svc", "who ServiceAccount tokens say they are from"),
  schedulerFile: SchedulerFile.option,
  schedulerPlugins: SchedulerPlugins.option,
  ...TelemetrySettings.options,
  ca: Settings.text("tls-ca").pipe(Options.optional, Options.withDescription("PEM authority that client certificates are signed by"))
}

/** Names that may stand in the configuration file and the environment. */
export const names: ReadonlyArray<string> = Settings.namesOf(options)
