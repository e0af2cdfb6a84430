/** The settings of `reddwarf-agent run`. */
import { HelpDoc, Options, ValidationError } from "@effect/cli"
import { Names, Quantity } from "@reddwarf/api-types"
import { Settings, TelemetrySettings } from "@reddwarf/cli"
import { EvictionThresholds } from "@reddwarf/node-agent"
import { DatasetName } from "@reddwarf/storage-zfs"
import { Effect, Either, Option } from "effect"
import * as AbsolutePath from "./AbsolutePath.js"
import { hosts } from "./Host.js"
import * as BootSettings from "./BootSettings.js"
import * as NetworkSettings from "./NetworkSettings.js"

const quantity = (text: string): Option.Option<Quantity.Quantity> => Either.getRight(Quantity.parse(text))
const dataset = (text: string): Option.Option<DatasetName.DatasetName> => DatasetName.is(text) ? Option.some(text) : Option.none()

const bind = (text: string): Option.Option<{ readonly host: string; readonly port: number }> => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65_535 ? Option.none() : Option.some({ host, port })
}

const brands = (text: string): Option.Option<ReadonlyArray<string>> => {
  const words = text.split(",").map((word) => word.trim())
  return words.every((word) => /^[a-z0-9][a-z0-9-]{0,30}$/.test(word)) ? Option.some(words) : Option.none()
}

export const dataDir = Settings.text("data-dir").pipe(
  Options.withDefault("/var/lib/reddwarf-agent"),
  Options.filterMap(AbsolutePath.parse, "data-dir must be an absolute path of letters, digits, '.', '_', '-'"),
  Options.withDescription("where the agent keeps what must survive it; created with mode 0700")
)

export const host = Settings.orElse(Settings.choice("host", hosts), "illumos", "the host to work on: this machine, or a simulated one in the data directory")

export const registries = Settings.text("registries").pipe(
  Options.optional,
  Options.withDescription("YAML or JSON file that says how registries are reached: hosts with scheme, address, mirrors, ca, skipTlsVerify")
)

const optionalDataset = (name: string, what: string) =>
  Settings.text(name).pipe(
    Options.filterMap(dataset, `${name} must be a dataset such as rpool/${what}`),
    Options.optional,
    Options.withDescription(`dataset of all ${what}; default POOL/${what}`)
  )

const optionalQuantity = (name: string, fallback: string, what: string) =>
  Settings.text(name).pipe(
    Options.withDefault(fallback),
    Options.filterMap(quantity, `${name} must be a quantity such as ${fallback}`),
    Options.withDescription(`${what} kept for the host itself`)
  )

export const options = {
  config: Settings.file,
  kubeconfig: Settings.text("kubeconfig").pipe(Options.withDescription("credentials of this node, made by reddwarf-server kubeconfig --node NAME")),
  nodeName: Settings.text("node-name").pipe(
    Options.filterMap((name) => Names.isDns1123Subdomain(name).length === 0 ? Option.some(name) : Option.none(), "node-name must be a lower case RFC 1123 subdomain such as node-1"),
    Options.withDescription("name of the Node object")
  ),
  dataDir,
  host,
  kubeletBind: Settings.text("kubelet-bind").pipe(
    Options.withDefault("127.0.0.1:10250"),
    Options.filterMap(bind, "kubelet-bind must be ADDRESS:PORT such as 127.0.0.1:10250"),
    Options.withDescription("address of the node and port by which the API server reaches this agent; port 0 takes a free one")
  ),
  sessionPort: Settings.orElse(
    Settings.integer("session-port", 0, 65_535),
    0,
    "port at the same address for exec, attach and port-forward that outlive the agent; 0 takes a free one"
  ),
  storagePool: Settings.text("storage-pool").pipe(
    Options.withDefault("rpool"),
    Options.filterMap(dataset, "storage-pool must be the name of a pool such as rpool"),
    Options.withDescription("pool that holds everything")
  ),
  zonesDataset: optionalDataset("zones-dataset", "zones"),
  imagesDataset: optionalDataset("images-dataset", "images"),
  volumesDataset: optionalDataset("volumes-dataset", "volumes"),
  zonepathPrefix: Settings.text("zonepath-prefix").pipe(
    Options.withDefault("/zones"),
    Options.filterMap(AbsolutePath.parse, "zonepath-prefix must be an absolute path"),
    Options.withDescription("where the dataset of the zones is mounted; zonepaths are below it")
  ),
  etherstub: Settings.orElse(Settings.text("etherstub-name"), "reddwarf0", "etherstub that pod VNICs hang on"),
  ...BootSettings.options,
  ...NetworkSettings.options,
  reservedCpu: optionalQuantity("system-reserved-cpu", "100m", "CPU"),
  reservedMemory: optionalQuantity("system-reserved-memory", "256Mi", "memory"),
  supervisor: Settings.orElse(
    Settings.choice("supervisor", ["own", "service"]),
    "own",
    "who starts the supervisor of the containers: the agent, or a service of the host"
  ),
  healthzPort: Settings.orElse(
    Settings.integer("healthz-port", 0, 65_535),
    10_248,
    "port of http://127.0.0.1/healthz, the health of the agent itself; 0 switches it off"
  ),
  gateProbeInterval: Settings.orElse(
    Settings.integer("gate-probe-interval", 1, 3600),
    10,
    "seconds after which each gate of a pod is asked again whether it is open"
  ),
  companions: Settings.orElse(
    Settings.choice("companions", ["own", "none"]),
    "own",
    "own keeps the services of the host running that a node needs, such as node-health"
  ),
  evictionHard: Settings.text("eviction-hard").pipe(
    Options.withDefault(""),
    Options.mapEffect((text) =>
      Either.match(EvictionThresholds.parse(text), {
        onLeft: (problem) => Effect.fail(ValidationError.invalidValue(HelpDoc.p(`eviction-hard: ${problem}`))),
        onRight: Effect.succeed
      })),
    Options.withDescription("at which amounts pods are ended, as memory.available<100Mi,nodefs.available<10%,pid.available<10%, which are the defaults")
  ),
  evictionTransition: Settings.orElse(
    Settings.integer("eviction-pressure-transition-seconds", 0, 86_400),
    300,
    "seconds for which a shortage of the node counts after it is over"
  ),
  ...TelemetrySettings.options,
  maxPods: Settings.orElse(Settings.integer("max-pods", 1, 4096), 110, "largest number of pods"),
  registries,
  images: Settings.orElse(
    Settings.choice("images", ["zone", "registry"]),
    "zone",
    "what containers run: programs of their zone, or the images of the pod, pulled from registries"
  ),
  brands: Settings.text("supported-brands").pipe(
    Options.filterMap(brands, "supported-brands must be brand names joined by commas, such as sparse,lx"),
    Options.optional,
    Options.withDescription("zone brands that pods may ask for, the first is the default; default: those found on the host")
  )
}

/** Names that may stand in the configuration file and the environment; the last one is a setting of `doctor` alone, which shares the file. */
export const names: ReadonlyArray<string> = [...Settings.namesOf(options), "timeout-seconds"]
