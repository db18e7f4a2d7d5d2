// What signmill needs in Azure: a Service Bus namespace with its queues, a
// vault, the worker's identity and KEDA's, and the least rights of each.
//
//   az deployment group create --resource-group signing --template-file main.bicep \
//     --parameters oidcIssuer=$(az aks show ... --query oidcIssuerProfile.issuerUrl -o tsv)
//
// Keys are made by people, not by this file: signmill keys create.

@description('Beginning of all names; those of namespace and vault are unique in the world.')
@minLength(3)
@maxLength(16)
param name string = 'signmill'

param location string = resourceGroup().location

@description('The issuer of the cluster: its pods become the identities below.')
param oidcIssuer string

@description('For whom the cluster makes tokens: aud in those that the webhook of workload identity mounts.')
param audience string = 'api://AzureADTokenExchange'

@description('Namespace and service account of the worker, as the chart makes them.')
param workerSubject string = 'system:serviceaccount:signing:mill-signmill'

@description('Namespace and service account of the KEDA operator, which must run with workload identity itself. The add-on of AKS has it in kube-system.')
param kedaSubject string = 'system:serviceaccount:keda:keda-operator'

@description('Queues of jobs: the worker\'s own, those of lanes and those of producers.')
param jobQueues string[] = ['jobs']

@description('Queues of results, and that of traces where there is one.')
param replyQueues string[] = ['replies']

@description('Standard, or Premium for messages beyond 256 KB and private endpoints.')
@allowed(['Standard', 'Premium'])
param busTier string = 'Standard'

@description('standard, or premium for keys in hardware.')
@allowed(['standard', 'premium'])
param vaultTier string = 'premium'

@description('As worker.maxDeliveries of the chart.')
param maxDeliveries int = 10

@description('How long a reply queue knows the replies that it has seen: maxDeliveries x (lock + 10 minutes), and seven days at most.')
param duplicateWindow string = 'PT2H'

@description('ID of a Log Analytics workspace for the vault\'s audit log; empty: none is kept.')
param auditWorkspace string = ''

var suffix = uniqueString(resourceGroup().id)

// Roles of Azure's own, by what they are called there.
var roles = {
  'Azure Service Bus Data Receiver': '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  'Azure Service Bus Data Sender': '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  'Azure Service Bus Data Owner': '090c5cfd-751d-490a-894a-3ce6f1109419'
  'Key Vault Crypto User': '12338af0-0e69-4776-bea7-57ae8d297424'
}

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-worker'
  location: location
}

resource workerPods 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: worker
  name: 'pods'
  properties: {
    issuer: oidcIssuer
    subject: workerSubject
    audiences: [audience]
  }
}

resource keda 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-keda'
  location: location
}

resource kedaPods 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: keda
  name: 'pods'
  properties: {
    issuer: oidcIssuer
    subject: kedaSubject
    audiences: [audience]
  }
}

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: '${name}-${suffix}'
  location: location
  sku: {
    name: busTier
    tier: busTier
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource jobs 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for queue in jobQueues: {
  parent: bus
  name: queue
  properties: {
    lockDuration: 'PT1M'
    maxDeliveryCount: maxDeliveries
    deadLetteringOnMessageExpiration: true
  }
}]

// A job that is delivered twice is answered twice under one id, and the queue
// drops the second.
resource replies 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for queue in replyQueues: {
  parent: bus
  name: queue
  properties: {
    lockDuration: 'PT1M'
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: duplicateWindow
  }
}]

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: take('${name}${suffix}', 24)
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: vaultTier
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
  }
}

// It has each call with the client request id that the worker's spans have.
resource vaultAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspace)) {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: auditWorkspace
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

resource receiveJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, i) in jobQueues: {
  name: guid(jobs[i].id, worker.id, 'receive')
  scope: jobs[i]
  properties: {
    principalId: worker.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Service Bus Data Receiver'])
  }
}]

// To put off a job that has to wait.
resource sendJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, i) in jobQueues: {
  name: guid(jobs[i].id, worker.id, 'send')
  scope: jobs[i]
  properties: {
    principalId: worker.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Service Bus Data Sender'])
  }
}]

resource sendReplies 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, i) in replyQueues: {
  name: guid(replies[i].id, worker.id, 'send')
  scope: replies[i]
  properties: {
    principalId: worker.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Service Bus Data Sender'])
  }
}]

// KEDA alone may manage queues: there is no smaller role that reads their length.
resource readLength 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, i) in jobQueues: {
  name: guid(jobs[i].id, keda.id, 'length')
  scope: jobs[i]
  properties: {
    principalId: keda.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Service Bus Data Owner'])
  }
}]

resource useKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, worker.id, 'use')
  scope: vault
  properties: {
    principalId: worker.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Crypto User'])
  }
}

@description('Values for the chart.')
output values object = {
  serviceBus: {
    // https://HOST:443/
    namespace: split(split(bus.properties.serviceBusEndpoint, '/')[2], ':')[0]
  }
  identity: {
    clientId: worker.properties.clientId
    kedaClientId: keda.properties.clientId
  }
}

output vaultUrl string = vault.properties.vaultUri
