/** What is said when one thing in the volumes of a pod is wrong. */
import type { Mistake } from "./wholePod.js"

export const volumeMistakes: ReadonlyArray<Mistake> = [
  ["spec.volumes.0.hostPath", { path: "/a" }, [
    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
    'spec.containers[0].volumeMounts[0].name: Not found: "data"',
    'spec.containers[1].volumeMounts[0].name: Not found: "data"'
  ]],
  ["spec.volumes.2.projected.sources.1.secret", { name: "" }, [
    "spec.volumes[2].projected.sources[1].secret.name: Required value",
    "spec.volumes[2].projected.sources[1]: Forbidden: may not specify more than 1 volume type per source",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.4.persistentVolumeClaim.claimName", "p-eph", [
    'spec.volumes[4].persistentVolumeClaim.claimName: Invalid value: "p-eph": must not reference a PVC that gets created for an ephemeral volume'
  ]],
  ["spec.volumes.10.iscsi.lun", 256, ["spec.volumes[10].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"]],
  ["spec.volumes.10.iscsi.chapAuthSession", true, ["spec.volumes[10].iscsi.secretRef: Required value"]],
  ["spec.volumes.0.emptyDir.sizeLimit", "-1", [
    "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
    'spec.containers[0].volumeMounts[0].name: Not found: "data"',
    'spec.containers[1].volumeMounts[0].name: Not found: "data"'
  ]],
  ["spec.volumes.1.configMap", {}, ["spec.volumes[1].configMap.name: Required value", 'spec.containers[0].volumeMounts[1].name: Not found: "conf"']],
  ["spec.volumes.1.configMap.defaultMode", -1, [
    "spec.volumes[1].configMap.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0", {}, [
    "spec.volumes[1].configMap.items[0].key: Required value",
    "spec.volumes[1].configMap.items[0].path: Required value",
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0.path", "a/../b", [
    `spec.volumes[1].configMap.items[0].path: Invalid value: "a/../b": must not contain '..'`,
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0.path", "..x", [
    `spec.volumes[1].configMap.items[0].path: Invalid value: "..x": must not start with '..'`,
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.1.configMap.items.0.mode", -1, [
    "spec.volumes[1].configMap.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
    'spec.containers[0].volumeMounts[1].name: Not found: "conf"'
  ]],
  ["spec.volumes.2.projected.sources.0.serviceAccountToken", {}, [
    "spec.volumes[2].projected.path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.0.serviceAccountToken.expirationSeconds", 0, [
    "spec.volumes[2].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 0: may not specify a duration less than 10 minutes",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.1.configMap", {}, [
    "spec.volumes[2].projected.sources[1].configMap.name: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.1.configMap.items", [{ key: "ca.crt", path: "ca.crt" }, { key: "ca.crt", path: "ca.crt" }], [
    'spec.volumes[2].projected: Invalid value: "root": conflicting duplicate paths',
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.1.configMap.items.0", {}, [
    "spec.volumes[2].projected.sources[1].configMap.items[0].key: Required value",
    "spec.volumes[2].projected.sources[1].configMap.items[0].path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.2.secret.items.0", {}, [
    "spec.volumes[2].projected.sources[2].secret.items[0].key: Required value",
    "spec.volumes[2].projected.sources[2].secret.items[0].path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0", {}, [
    "spec.volumes[2].projected.sources[3].downwardAPI.path: Required value",
    "spec.volumes[2].projected.sources[3].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef", {}, [
    "spec.volumes[2].projected.sources[3].downwardAPI.fieldRef.fieldPath: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef.apiVersion", "Bad_Name", [
    'spec.volumes[2].projected.sources[3].downwardAPI.fieldRef.fieldPath: Invalid value: "metadata.namespace": error converting fieldPath: unsupported pod version: Bad_Name',
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef.fieldPath", "metadata.labels['-']", [
    `spec.volumes[2].projected.sources[3].downwardAPI.fieldRef: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.0.fieldRef.fieldPath", "spec.host", [
    'spec.volumes[2].projected.sources[3].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.1.resourceFieldRef", {}, [
    "spec.volumes[2].projected.sources[3].downwardAPI.resourceFieldRef.containerName: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.1.resourceFieldRef.resource", undefined, [
    "spec.volumes[2].projected.sources[3].downwardAPI.resourceFieldRef.resource: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.3.downwardAPI.items.1.resourceFieldRef.divisor", "10", [
    `spec.volumes[2].projected.sources[3].downwardAPI.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4.clusterTrustBundle", {}, [
    "spec.volumes[2].projected.sources[4].clusterTrustBundle: Required value: either name or signerName must be specified",
    "spec.volumes[2].projected.sources[4].clusterTrustBundle.path: Required value",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4.clusterTrustBundle.name", "", [
    "spec.volumes[2].projected.sources[4].clusterTrustBundle.name: Required value: must be a valid object name",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4.clusterTrustBundle.name", "a:b:", [
    `spec.volumes[2].projected.sources[4].clusterTrustBundle.name: Invalid value: "a:b:": not a valid clustertrustbundlename: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4.clusterTrustBundle", { path: "p", signerName: "x", labelSelector: { matchLabels: { a: "-" } } }, [
    "spec.volumes[2].projected.sources[4].clusterTrustBundle.signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form 'example.com/signer-name'",
    `spec.volumes[2].projected.sources[4].clusterTrustBundle.labelSelector.matchLabels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.2.projected.sources.4", { podCertificate: { signerName: "ex.com/a", keyType: "ED25519", credentialBundlePath: "c" } }, [
    "spec.volumes[2].projected.sources[4].podCertificate: Forbidden: certificates for pods are not issued by this cluster; mount one that a Secret holds",
    'spec.containers[0].volumeMounts[3].name: Not found: "tok"'
  ]],
  ["spec.volumes.3.ephemeral", undefined, [
    'spec.containers[0].volumeDevices[1].name: Invalid value: "eph": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
  ]],
  ["spec.volumes.3.ephemeral", {}, ["spec.volumes[3].ephemeral.volumeClaimTemplate: Required value", 'spec.containers[0].volumeDevices[1].name: Not found: "eph"']],
  ["spec.volumes.3.ephemeral.volumeClaimTemplate", {}, [
    "spec.volumes[3].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
    "spec.volumes[3].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
    'spec.containers[0].volumeDevices[1].name: Not found: "eph"'
  ]],
  ["spec.volumes.5.hostPath", {}, ["spec.volumes[5].hostPath.path: Required value"]],
  ["spec.volumes.5.hostPath.type", "Bad_Name", [
    'spec.volumes[5].hostPath.type: Unsupported value: "Bad_Name": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
  ]],
  ["spec.volumes.6.secret", {}, ["spec.volumes[6].secret.secretName: Required value"]],
  ["spec.volumes.7.downwardAPI.items.0", {}, [
    "spec.volumes[7].downwardAPI.path: Required value",
    "spec.volumes[7].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"
  ]],
  ["spec.volumes.7.downwardAPI.items.0.fieldRef", {}, ["spec.volumes[7].downwardAPI.fieldRef.fieldPath: Required value"]],
  ["spec.volumes.7.downwardAPI.items.0.fieldRef.fieldPath", "metadata.labels['-']", [
    `spec.volumes[7].downwardAPI.fieldRef: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
  ]],
  ["spec.volumes.8.image", {}, ["spec.volumes[8].image.reference: Required value", 'spec.containers[0].volumeMounts[2].name: Not found: "img"']],
  ["spec.volumes.8.image.pullPolicy", "Bad_Name", [
    'spec.volumes[8].image.pullPolicy: Unsupported value: "Bad_Name": supported values: "Always", "IfNotPresent", "Never"',
    'spec.containers[0].volumeMounts[2].name: Not found: "img"'
  ]],
  ["spec.volumes.9.nfs", {}, [
    "spec.volumes[9].nfs.server: Required value",
    "spec.volumes[9].nfs.path: Required value",
    'spec.volumes[9].nfs.path: Invalid value: "": must be an absolute path'
  ]],
  ["spec.volumes.10.iscsi", {}, ["spec.volumes[10].iscsi.targetPortal: Required value", "spec.volumes[10].iscsi.iqn: Required value"]],
  ["spec.volumes.10.iscsi.iqn", "Bad_Name", ['spec.volumes[10].iscsi.iqn: Invalid value: "Bad_Name": must be valid format starting with iqn, eui, or naa']],
]
