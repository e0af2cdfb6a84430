/** The agent's settings in the words of a KubeletConfiguration: what `/configz` shows to tools that know kubelets. */
import { Quantity } from "@reddwarf/api-types"
import * as Duration from "effect/Duration"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"

const seconds = (input: Duration.DurationInput): string => `${Duration.toSeconds(input)}s`

const bytes = (amount: number): string => Quantity.toCanonical(Quantity.fromBytes(amount))

/**
 * Fields of `kubelet.config.k8s.io/v1beta1` that have a meaning here; those that have none are left out.
 *
 * @category constructors
 */
export const of = (options: NodeAgentOptions.Resolved) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  address: options.nodeAddress,
  port: options.kubeletPort,
  clusterDomain: options.clusterDns.domain,
  clusterDNS: options.clusterDns.servers,
  containerLogMaxSize: bytes(options.logMaxBytes),
  containerLogMaxFiles: options.logMaxFiles,
  evictionHard: Object.fromEntries(options.evictionHard.map(({ signal, text }) => [signal, text])),
  evictionPressureTransitionPeriod: seconds(options.evictionTransitionPeriod),
  maxPods: options.maxPods,
  nodeStatusUpdateFrequency: seconds(options.statusInterval),
  nodeStatusReportFrequency: "300s",
  nodeLeaseDurationSeconds: 40,
  podLogsDir: options.logDir,
  podPidsLimit: options.podPidsLimit,
  systemReserved: { cpu: `${options.systemReservedCpuMillis}m`, memory: bytes(options.systemReservedMemory) }
})
