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

@description('Namespace and service account of the worker, as the chart makes them.')
param workerSubject string = 'system:serviceaccount:signing:mill-signmill'

@description('Namespace and service account of the KEDA operator.')
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
    audiences: ['api://AzureADTokenExchange']
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
    audiences: ['api://AzureADTokenExchange']
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
// drops the second. The window is that of maxDeliveries attempts.
resource replies 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for queue in replyQueues: {
  parent: bus
  name: queue
  properties: {
    lockDuration: 'PT1M'
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'PT2H'
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
    namespace: '${bus.name}.servicebus.windows.net'
  }
  identity: {
    clientId: worker.properties.clientId
    kedaClientId: keda.properties.clientId
  }
}

output vaultUrl string = vault.properties.vaultUri
