/** Files of rules: what AWS prints, controls of Tidemark's own, a template. */
// As `aws ec2 describe-security-groups` prints them.
export const groups = {
  SecurityGroups: [
    {
      Description: 'web',
      GroupName: 'web',
      IpPermissions: [
        {
          ...{ FromPort: 443, IpProtocol: 'tcp', ToPort: 443 },
          IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'all' }, { CidrIp: '10.0.0.0/8' }],
          Ipv6Ranges: [{ CidrIpv6: '::/0' }],
          PrefixListIds: [{ PrefixListId: 'pl-0123' }],
          UserIdGroupPairs: [
            { GroupId: 'sg-0b', UserId: '111122223333', VpcId: 'vpc-2', VpcPeeringConnectionId: 'pcx-1' },
          ],
        },
        { FromPort: 8, IpProtocol: 'icmp', IpRanges: [{ CidrIp: '192.0.2.0/24' }], ToPort: -1 },
        { FromPort: 3, IpProtocol: '1', IpRanges: [{ CidrIp: '192.0.2.0/24' }], ToPort: 4 },
        { FromPort: -1, IpProtocol: 'icmpv6', Ipv6Ranges: [{ CidrIpv6: '2001:db8::/32' }], ToPort: -1 },
        { FromPort: 0, IpProtocol: '47', IpRanges: [{ CidrIp: '192.0.2.1/32' }], ToPort: 0 },
      ],
      OwnerId: '111122223333',
      GroupId: 'sg-0a',
      IpPermissionsEgress: [
        {
          IpProtocol: '-1',
          IpRanges: [{ CidrIp: '0.0.0.0/0' }],
          Ipv6Ranges: [],
          PrefixListIds: [],
          UserIdGroupPairs: [],
        },
      ],
      Tags: [{ Key: 'Name', Value: 'web' }],
      VpcId: 'vpc-1',
    },
    { GroupId: 'sg-0b', GroupName: 'db', VpcId: 'vpc-1', IpPermissions: [], IpPermissionsEgress: [] },
  ],
}
export const acls = {
  NetworkAcls: [
    {
      Associations: [{ NetworkAclAssociationId: 'aclassoc-1', NetworkAclId: 'acl-1', SubnetId: 'subnet-1' }],
      Entries: [
        {
          CidrBlock: '0.0.0.0/0',
          Egress: true,
          PortRange: { From: 1024, To: 65535 },
          Protocol: '6',
          RuleAction: 'allow',
          RuleNumber: 100,
        },
        { CidrBlock: '0.0.0.0/0', Egress: true, Protocol: '-1', RuleAction: 'deny', RuleNumber: 32767 },
        {
          CidrBlock: '192.0.2.0/24',
          Egress: false,
          IcmpTypeCode: { Code: -1, Type: 8 },
          Protocol: '1',
          RuleAction: 'allow',
          RuleNumber: 90,
        },
        {
          Egress: false,
          Ipv6CidrBlock: '::/0',
          PortRange: { From: 80, To: 80 },
          Protocol: 'tcp',
          RuleAction: 'deny',
          RuleNumber: 101,
        },
        { Egress: false, Ipv6CidrBlock: '::/0', Protocol: '-1', RuleAction: 'deny', RuleNumber: 32768 },
      ],
      IsDefault: true,
      NetworkAclId: 'acl-1',
      VpcId: 'vpc-1',
    },
  ],
}
export const interfaces = {
  NetworkInterfaces: [
    {
      Association: { IpOwnerId: 'amazon', PublicIp: '198.51.100.5' },
      Groups: [{ GroupId: 'sg-0a', GroupName: 'web' }],
      InterfaceType: 'interface',
      Ipv6Addresses: [{ Ipv6Address: '2001:db8::5' }],
      Ipv4Prefixes: [{ Ipv4Prefix: '10.0.1.16/28' }],
      NetworkInterfaceId: 'eni-1',
      PrivateIpAddress: '10.0.1.5',
      PrivateIpAddresses: [
        { Primary: true, PrivateIpAddress: '10.0.1.5', Association: { PublicIp: '198.51.100.5' } },
        { Primary: false, PrivateIpAddress: '10.0.1.6', Association: { PublicIp: '198.51.100.6' } },
      ],
      SubnetId: 'subnet-1',
      VpcId: 'vpc-1',
    },
    {
      ...{
        Description: 'ELB net/balancer/1',
        InterfaceType: 'network_load_balancer',
        RequesterManaged: true,
        Groups: [],
      },
      ...{
        NetworkInterfaceId: 'eni-2',
        PrivateIpAddress: '10.0.1.9',
        PrivateIpAddresses: [{ PrivateIpAddress: '10.0.1.9' }],
      },
    },
  ],
}
export const subnets = {
  Subnets: [
    {
      ...{ SubnetId: 'subnet-1', VpcId: 'vpc-1', CidrBlock: '10.0.1.0/24' },
      Ipv6CidrBlockAssociationSet: [
        { Ipv6CidrBlock: '2001:db8::/64', Ipv6CidrBlockState: { State: 'associated' } },
        { Ipv6CidrBlock: '2001:db8:1::/64', Ipv6CidrBlockState: { State: 'disassociated' } },
      ],
    },
  ],
}

export const looseRules = {
  SecurityGroupRules: [
    {
      ...{
        SecurityGroupRuleId: 'sgr-1',
        GroupId: 'sg-0a',
        IsEgress: false,
        IpProtocol: 'tcp',
        FromPort: 443,
        ToPort: 443,
      },
      ...{ ReferencedGroupInfo: { GroupId: 'sg-0b', UserId: '111122223333' }, Description: 'from the database' },
    },
    {
      ...{ SecurityGroupRuleId: 'sgr-2', GroupId: 'sg-0c', IsEgress: true, IpProtocol: '-1', FromPort: -1, ToPort: -1 },
      CidrIpv4: '0.0.0.0/0',
    },
  ],
}

export const control = {
  controls: [
    {
      ...{ id: 'C1', kind: 'security-group-egress', title: 'egress', answers: ['F1'] },
      rules: [
        {
          ...{ direction: 'egress', number: null, action: 'allow', protocol: 6, from_port: 443, to_port: 443 },
          ...{ icmp_type: null, icmp_code: null, remote: '0.0.0.0/0', description: '' },
        },
      ],
      applies_to: { addresses: ['10.0.1.5'], interfaces: ['eni-1'], subnets: [] },
    },
    {
      ...{ id: 'C2', kind: 'network-acl' },
      rules: [
        { direction: 'ingress', number: 100, action: 'allow', protocol: null, remote: '0.0.0.0/0' },
        { direction: 'egress', number: 90, action: 'deny', protocol: null, remote: '203.0.113.7' },
        { direction: 'egress', number: 100, action: 'allow', protocol: null, remote: '0.0.0.0/0' },
      ],
      applies_to: { addresses: ['10.0.1.5'], interfaces: [], subnets: ['subnet-1'] },
    },
    { id: 'C3', kind: 'alarm', rules: [], applies_to: { addresses: [], interfaces: [], subnets: [] } },
  ],
  missing: [],
}
export const template = `
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  VpcId: { Type: String }
  Subnet1: { Type: String, Default: subnet-1 }
  Attach: { Type: String, Default: 'false' }
Conditions:
  AttachNow: !Equals [!Ref Attach, 'true']
Resources:
  C1Group:
    Type: AWS::EC2::SecurityGroup
    Metadata:
      Tidemark: { Control: C1, Direction: egress, For: [10.0.1.5] }
    Properties:
      GroupDescription: egress
      VpcId: !Ref VpcId
      SecurityGroupEgress:
        - { IpProtocol: "-1", CidrIp: 127.0.0.1/32 }
  C1Rule1:
    Type: AWS::EC2::SecurityGroupEgress
    Properties:
      GroupId: !GetAtt C1Group.GroupId
      IpProtocol: tcp
      FromPort: "443"
      ToPort: 443
      CidrIp: 0.0.0.0/0
  C2Acl:
    Type: AWS::EC2::NetworkAcl
    Metadata:
      Tidemark: { Control: C2, For: [10.0.1.5] }
    Properties: { VpcId: !Ref VpcId }
  C2Ingress100:
    Type: AWS::EC2::NetworkAclEntry
    Properties: { NetworkAclId: !Ref C2Acl, RuleNumber: 100, Protocol: -1, RuleAction: allow, Egress: false, CidrBlock: 0.0.0.0/0 }
  C2Egress90:
    Type: AWS::EC2::NetworkAclEntry
    Properties: { NetworkAclId: { Ref: C2Acl }, RuleNumber: 90, Protocol: -1, RuleAction: deny, Egress: 'true', CidrBlock: 203.0.113.7/32 }
  C2Egress100:
    Type: AWS::EC2::NetworkAclEntry
    Properties: { NetworkAclId: !Ref C2Acl, RuleNumber: 100, Protocol: -1, RuleAction: allow, Egress: true, CidrBlock: 0.0.0.0/0 }
  C2Association1:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Condition: AttachNow
    Properties: { SubnetId: !Ref Subnet1, NetworkAclId: !Ref C2Acl }
  Log:
    Type: AWS::EC2::FlowLog
    Properties: { LogFormat: '\${version}' }
`

export const awsAnswers = { ...groups, ...acls, ...interfaces, ...subnets, ...looseRules }
