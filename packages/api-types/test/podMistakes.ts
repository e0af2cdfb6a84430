/** What is said when one thing in a pod itself is wrong: its metadata, placement, security, network. */
import type { Mistake } from "./wholePod.js"

export const podMistakes: ReadonlyArray<Mistake> = [
  ["spec.nodeName", "n", ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"]],
  ["spec.hostNetwork", true, ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"']],
  ["metadata.annotations", { "a b": "", "UPPER.com/x": "" }, [
    `metadata.annotations: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.finalizers", ["orphan", "foregroundDeletion", "x"], [
    'metadata.finalizers[2]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion","x"]: finalizer orphan and foregroundDeletion cannot be both set'
  ]],
  ["metadata.generateName", "A-", [
    `metadata.generateName: Invalid value: "A-": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata", undefined, ["metadata.name: Required value: name or generateName is required", "metadata.namespace: Required value"]],
  ["metadata.name", "a/../b", [
    `metadata.name: Invalid value: "a/../b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    `spec.volumes[3].name: Invalid value: "eph": PVC name "a/../b-eph": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    'spec.containers[0].volumeDevices[1].name: Not found: "eph"'
  ]],
  ["metadata.namespace", "Bad_Name", [
    `metadata.namespace: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["metadata.namespace", "spec.host", ['metadata.namespace: Invalid value: "spec.host": must not contain dots']],
  ["metadata.labels.app", "a/../b", [
    `metadata.labels: Invalid value: "a/../b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.ownerReferences.0", {}, [
    'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
    'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
    'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty'
  ]],
  ["metadata.finalizers.0", "", [
    'metadata.finalizers: Invalid value: "": name part must be non-empty',
    `metadata.finalizers: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.finalizers.0", "a/../b", [
    `metadata.finalizers: Invalid value: "a/../b": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["metadata.finalizers.0", "/a", ['metadata.finalizers: Invalid value: "/a": prefix part must be non-empty']],
  ["spec", undefined, ["spec.containers: Required value"]],
  ["spec.serviceAccountName", "Bad_Name", [
    `spec.serviceAccountName: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.hostname", "Bad_Name", [
    `spec.hostname: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["spec.subdomain", "Bad_Name", [
    `spec.subdomain: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character`
  ]],
  ["spec.priorityClassName", "Bad_Name", [
    `spec.priorityClassName: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.runtimeClassName", "", [
    `spec.runtimeClassName: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.resourceClaims", [{ name: "rc", resourceClaimName: "rcn" }, { name: "rd", resourceClaimTemplateName: "rcn" }, { name: "rc", resourceClaimName: "rcn" }], [
    'spec.resourceClaims[2].name: Duplicate value: "rc"'
  ]],
  ["spec.resourceClaims.0", {}, [
    "spec.resourceClaims[0].name: Required value",
    'spec.resourceClaims[0]: Invalid value: {"name":""}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    'spec.containers[0].resources.claims[0]: Not found: "rc": must be one of the names in pod.spec.resourceClaims: rd'
  ]],
  ["spec.resourceClaims.0.resourceClaimName", "", [
    `spec.resourceClaims[0].resourceClaimName: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.resourceClaims.1.resourceClaimTemplateName", "", [
    `spec.resourceClaims[1].resourceClaimTemplateName: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.tolerations.0", {}, [
    'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"'
  ]],
  ["spec.tolerations.0.operator", "Bad_Name", [
    'spec.tolerations[0].operator: Invalid value: "Bad_Name": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    'spec.tolerations[0].operator: Unsupported value: "Bad_Name": supported values: "Equal", "Exists"'
  ]],
  ["spec.tolerations.1.key", "a/../b", [
    `spec.tolerations[1].key: Invalid value: "a/../b": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.tolerations.1.effect", undefined, ["spec.tolerations[1].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"]],
  ["spec.schedulingGates", [{ name: "example.com/g" }, { name: "g2" }, { name: "example.com/g" }], ['spec.schedulingGates[2]: Duplicate value: "example.com/g"']],
  ["spec.readinessGates.0", {}, [
    'spec.readinessGates[0].conditionType: Invalid value: "": name part must be non-empty',
    `spec.readinessGates[0].conditionType: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", {}, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.key", "/a", [
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.operator", undefined, [
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "": not a valid selector operator'
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.values", undefined, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.1.values", undefined, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchFields.0", {}, [
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: "": not a valid selector operator',
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "": not a valid field selector key'
  ]],
  ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchFields.0.values", undefined, [
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
  ]],
  ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0", {}, [
    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100"
  ]],
  ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.preference.matchExpressions.0.key", "/a", [
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.preference.matchExpressions.0.operator", undefined, [
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator: Invalid value: "": not a valid selector operator'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0", {}, [
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty",
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
    `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector", undefined, [
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not set"
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector.matchExpressions.0.key", "/a", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].key: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector.matchExpressions.0.operator", undefined, [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: "": not a valid selector operator'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector.matchExpressions.0.values", undefined, [
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.namespaces.0", "spec.host", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: "spec.host": must not contain dots'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.matchLabelKeys.0", "/a", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.mismatchLabelKeys.0", "/a", [
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys[0]: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight", undefined, [
    "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100"
  ]],
  ["spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.podAffinityTerm.topologyKey", "/a", [
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "/a": prefix part must be non-empty'
  ]],
  ["spec.topologySpreadConstraints", [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", minDomains: 2, labelSelector: { matchLabels: { app: "x" } }, matchLabelKeys: ["v"], nodeAffinityPolicy: "Honor" }, { maxSkew: 1, topologyKey: "zone2", whenUnsatisfiable: "DoNotSchedule" }, { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", minDomains: 2, labelSelector: { matchLabels: { app: "x" } }, matchLabelKeys: ["v"], nodeAffinityPolicy: "Honor" }], [
    'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"'
  ]],
  ["spec.topologySpreadConstraints.0", {}, [
    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than 0",
    "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"'
  ]],
  ["spec.topologySpreadConstraints.0.whenUnsatisfiable", undefined, [
    'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"',
    "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
  ]],
  ["spec.topologySpreadConstraints.0.labelSelector", undefined, [
    "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"
  ]],
  ["spec.topologySpreadConstraints.0.labelSelector.matchLabels.app", "..x", [
    `spec.topologySpreadConstraints[0].labelSelector.matchLabels: Invalid value: "..x": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.topologySpreadConstraints.0.matchLabelKeys.0", "", [
    'spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: "": name part must be non-empty',
    `spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.topologySpreadConstraints.0.nodeAffinityPolicy", "", [
    'spec.topologySpreadConstraints[0].nodeAffinityPolicy: Unsupported value: "": supported values: "Honor", "Ignore"'
  ]],
  ["spec.securityContext.runAsUser", -1, ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.securityContext.fsGroup", -1, ["spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.securityContext.supplementalGroups.0", -1, ["spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive"]],
  ["spec.securityContext.sysctls", [{ name: "net.a", value: "1" }, { name: "net.b", value: "1" }, { name: "net.a", value: "1" }], [
    'spec.securityContext.sysctls[2].name: Duplicate value: "net.a"'
  ]],
  ["spec.securityContext.sysctls.0.name", "Bad_Name", [
    "spec.securityContext.sysctls[0].name: Invalid value: \"Bad_Name\": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
  ]],
  ["spec.securityContext.seccompProfile", {}, ["spec.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set"]],
  ["spec.securityContext.seccompProfile.type", undefined, [
    "spec.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set",
    'spec.securityContext.seccompProfile.localhostProfile: Invalid value: {"type":"","localhostProfile":"a"}: can only be set when seccomp type is Localhost'
  ]],
  ["spec.securityContext.seccompProfile.localhostProfile", undefined, [
    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
  ]],
  ["spec.securityContext.appArmorProfile", {}, ["spec.securityContext.appArmorProfile.type: Required value: type is required when appArmorProfile is set"]],
  ["spec.securityContext.appArmorProfile.localhostProfile", undefined, [
    "spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"
  ]],
  ["spec.securityContext.appArmorProfile.localhostProfile", " a", [
    'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace'
  ]],
  ["spec.securityContext.fsGroupChangePolicy", "", ['spec.securityContext.fsGroupChangePolicy: Unsupported value: "": supported values: "Always", "OnRootMismatch"']],
  ["spec.dnsPolicy", "Bad_Name", ['spec.dnsPolicy: Unsupported value: "Bad_Name": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"']],
  ["spec.dnsConfig", undefined, ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]],
  ["spec.dnsConfig", {}, ["spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"]],
  ["spec.dnsConfig.nameservers.0", "", ['spec.dnsConfig.nameservers[0]: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ["spec.dnsConfig.searches.0", "", [
    `spec.dnsConfig.searches[0]: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.dnsConfig.options.0", {}, ["spec.dnsConfig.options[0]: Required value: must not be empty"]],
  ["spec.hostAliases.0", {}, ['spec.hostAliases[0].ip: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ["spec.hostAliases.0.hostnames.0", "", [
    `spec.hostAliases[0].hostnames[0]: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.os", {}, ["spec.os.name: Required value: cannot be empty"]],
  ["spec.os.name", "Bad_Name", ['spec.os: Unsupported value: "Bad_Name": supported values: "linux", "windows"']],
  ["spec.overhead.cpu", "-1", ['spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
  ["spec.activeDeadlineSeconds", 0, ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]],
  ["spec.preemptionPolicy", "Bad_Name", ['spec.preemptionPolicy: Unsupported value: "Bad_Name": supported values: "PreemptLowerPriority", "Never"']],
]
