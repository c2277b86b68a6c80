# Written by tidemark controls from recorded flows: C1, C2, C3, C4, C5, C6, C7. Review it before it is used.
# Not code: C8: GuardDuty in every region

terraform {
  required_version = ">= 1.2"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

variable "region" {
  description = "Region of the evidence"
  type        = string
  default     = "us-east-1"

  validation {
    condition     = var.region != ""
    error_message = "Set region: Region of the evidence."
  }
}

variable "account_id" {
  description = "Account of the evidence; nothing is done in another"
  type        = string
  default     = "123456789010"

  validation {
    condition     = var.account_id != ""
    error_message = "Set account_id: Account of the evidence; nothing is done in another."
  }
}

variable "vpc_id" {
  description = "VPC of the controls"
  type        = string
  default     = "vpc-0a1b2c3d4e5f60718"

  validation {
    condition     = var.vpc_id != ""
    error_message = "Set vpc_id: VPC of the controls."
  }
}

variable "attach_c1" {
  description = "Put the group of c1 on the interfaces: only when reviewed"
  type        = bool
  default     = false
}

variable "interface_id" {
  description = "Network interface of 10.0.1.20"
  type        = string
  default     = "eni-0123456789abcdef0"
}

variable "attach_c2" {
  description = "Put the group of c2 on the interfaces: only when reviewed"
  type        = bool
  default     = false
}

variable "attach_c3" {
  description = "Put the ACL of c3 before the subnets: only when reviewed"
  type        = bool
  default     = false
}

variable "subnet_id" {
  description = "Subnet of 10.0.1.20"
  type        = string
  default     = "subnet-0aaaabbbbccccdddd"
}

variable "log_group_name" {
  description = "Log group of the flow log whose format the filters are written for"
  type        = string

  validation {
    condition     = var.log_group_name != ""
    error_message = "Set log_group_name: Log group of the flow log whose format the filters are written for."
  }
}

variable "alarm_topic_arn" {
  description = "ARN of the SNS topic that alarms go to; empty: they only change their state"
  type        = string
  default     = ""
}

variable "rate_action" {
  description = "What rate rules do: count first, and block once the counts are right"
  type        = string
  default     = "count"

  validation {
    condition     = contains(["count", "block"], var.rate_action)
    error_message = "Set rate_action to \"count\" or \"block\"."
  }
}

variable "c6_target_arn" {
  description = "ARN of the load balancer or API that c6 is to stand before; empty: none yet"
  type        = string
  default     = ""
}

variable "flow_log_bucket_arn" {
  description = "ARN of the S3 bucket, or of a folder in it, for the new flow logs: best in an account of its own"
  type        = string

  validation {
    condition     = var.flow_log_bucket_arn != ""
    error_message = "Set flow_log_bucket_arn: ARN of the S3 bucket, or of a folder in it, for the new flow logs: best in an account of its own."
  }
}

# C1: SSH only from the addresses that held answered sessions before the incident
#   F2: 198.51.100.7 guessed passwords on port 22 of 10.0.1.20 and was let in at 19:25. Before that, two addresses
#   held sessions there; confirm that they are yours.
#   Costs: Who administers these hosts from another address is refused.
#   Tried: It stops 4 of 2,173 connections of the attack, 1,720,984 bytes, the first at 2023-09-28T19:25:40Z.
#   Tried: It breaks none of 812 other connections.
#   Confirm first:
#     - 203.0.113.10: 14 sessions: is it one of yours?
#     - 2001:db8::10: 3 sessions: is it one of yours?
resource "aws_security_group" "c1" {
  name        = "ssh-known"
  description = "C1 SSH only from the addresses that held answered sessions before the incident"
  vpc_id      = var.vpc_id
  # No egress block: Terraform takes AWS's default rule, which allows all, out of the group.
  tags = { Name = "ssh-known" }
}

resource "aws_vpc_security_group_ingress_rule" "c1_ingress_1" {
  security_group_id = aws_security_group.c1.id
  description       = "SSH: 14 sessions since 2023-09-21"
  cidr_ipv4         = "203.0.113.10/32"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_vpc_security_group_ingress_rule" "c1_ingress_2" {
  security_group_id = aws_security_group.c1.id
  description       = "SSH: 3 sessions since 2023-09-24"
  cidr_ipv6         = "2001:db8::10/128"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_vpc_security_group_ingress_rule" "c1_ingress_3" {
  security_group_id            = aws_security_group.c1.id
  description                  = "HTTPS from the load balancer"
  referenced_security_group_id = "sg-0fedcba9876543210"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "c1_ingress_4" {
  security_group_id = aws_security_group.c1.id
  description       = "ICMP"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = -1
  to_port           = -1
}

# Attaching is a step of its own. Groups add up: the interface keeps every ingress rule of its other groups, so
# this stops nothing until those rules go. It has no egress rules: what the interface may send is for its other
# groups to say. For: eni-0123456789abcdef0, 10.0.1.20. Where Terraform has the instance, put the group into its
# vpc_security_group_ids instead.
resource "aws_network_interface_sg_attachment" "c1_1" {
  count                = var.attach_c1 ? 1 : 0
  security_group_id    = aws_security_group.c1.id
  network_interface_id = var.interface_id

  lifecycle {
    precondition {
      condition     = var.interface_id != ""
      error_message = "Set interface_id: Network interface of 10.0.1.20."
    }
  }
}

# C2: Egress to what the server needs
#   F5: 265 MB went to 198.51.100.7 port 8889 from 19:32 on. These rules let through 99 % of the other
#   connections.
resource "aws_security_group" "c2" {
  name        = "egress-needed"
  description = "C2 Egress to what the server needs"
  vpc_id      = var.vpc_id
  # No egress block: Terraform takes AWS's default rule, which allows all, out of the group.
  tags = { Name = "egress-needed" }
}

resource "aws_vpc_security_group_egress_rule" "c2_egress_1" {
  security_group_id = aws_security_group.c2.id
  description       = "HTTPS: 812 connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "c2_egress_2" {
  security_group_id = aws_security_group.c2.id
  description       = "DNS of the VPC"
  cidr_ipv4         = "10.0.0.2/32"
  ip_protocol       = "udp"
  from_port         = 53
  to_port           = 53
}

resource "aws_vpc_security_group_egress_rule" "c2_egress_3" {
  security_group_id = aws_security_group.c2.id
  description       = "S3, by its prefix list"
  prefix_list_id    = "pl-63a5400a"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "c2_egress_4" {
  security_group_id            = aws_security_group.c2.id
  description                  = "Servers of C1"
  referenced_security_group_id = aws_security_group.c1.id
  ip_protocol                  = "-1"
}

# Attaching is a step of its own. Groups add up: the interface keeps every egress rule of its other groups, so
# this stops nothing until those rules go. It has no ingress rules: what may reach the interface is for its
# other groups to say. For: eni-0123456789abcdef0, 10.0.1.20. Where Terraform has the instance, put the group
# into its vpc_security_group_ids instead.
resource "aws_network_interface_sg_attachment" "c2_1" {
  count                = var.attach_c2 ? 1 : 0
  security_group_id    = aws_security_group.c2.id
  network_interface_id = var.interface_id

  lifecycle {
    precondition {
      condition     = var.interface_id != ""
      error_message = "Set interface_id: Network interface of 10.0.1.20."
    }
  }
}

# C3: Network ACL: the attacker both ways
#   F1: 198.51.100.7 swept the subnet before it guessed. An ACL is stateless: the answers have entries of their
#   own.
resource "aws_network_acl" "c3" {
  vpc_id = var.vpc_id
  tags   = { Name = "tidemark-c3" }
}

resource "aws_network_acl_rule" "c3_ingress_10" {
  network_acl_id = aws_network_acl.c3.id
  egress         = false
  rule_number    = 10
  rule_action    = "deny"
  protocol       = "-1"
  cidr_block     = "198.51.100.7/32"
}

resource "aws_network_acl_rule" "c3_ingress_100" {
  network_acl_id = aws_network_acl.c3.id
  egress         = false
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "6"
  cidr_block     = "0.0.0.0/0"
  from_port      = 22
  to_port        = 22
}

resource "aws_network_acl_rule" "c3_ingress_110" {
  network_acl_id = aws_network_acl.c3.id
  egress         = false
  rule_number    = 110
  rule_action    = "allow"
  protocol       = "6"
  cidr_block     = "0.0.0.0/0"
  from_port      = 1024
  to_port        = 65535
}

resource "aws_network_acl_rule" "c3_ingress_120" {
  network_acl_id  = aws_network_acl.c3.id
  egress          = false
  rule_number     = 120
  rule_action     = "allow"
  protocol        = "58"
  ipv6_cidr_block = "::/0"
  icmp_type       = 128
  icmp_code       = -1
}

resource "aws_network_acl_rule" "c3_egress_10" {
  network_acl_id = aws_network_acl.c3.id
  egress         = true
  rule_number    = 10
  rule_action    = "deny"
  protocol       = "-1"
  cidr_block     = "198.51.100.7/32"
}

resource "aws_network_acl_rule" "c3_egress_100" {
  network_acl_id = aws_network_acl.c3.id
  egress         = true
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "-1"
  cidr_block     = "0.0.0.0/0"
}

# Attaching is a step of its own: a subnet has one ACL, so this one takes the place of the present one, for all
# that is in the subnet. Note which one it has now: when this is taken back, AWS puts the VPC's default ACL
# there. For: subnet-0aaaabbbbccccdddd, 10.0.1.20.
resource "aws_network_acl_association" "c3_1" {
  count          = var.attach_c3 ? 1 : 0
  network_acl_id = aws_network_acl.c3.id
  subnet_id      = var.subnet_id
  # An ACL without its entries stops everything.
  depends_on = [
    aws_network_acl_rule.c3_ingress_10,
    aws_network_acl_rule.c3_ingress_100,
    aws_network_acl_rule.c3_ingress_110,
    aws_network_acl_rule.c3_ingress_120,
    aws_network_acl_rule.c3_egress_10,
    aws_network_acl_rule.c3_egress_100,
  ]

  lifecycle {
    precondition {
      condition     = var.subnet_id != ""
      error_message = "Set subnet_id: Subnet of 10.0.1.20."
    }
  }
}

# C4: Alarm: bytes out to ports that are not approved
#   F5: it would have fired at 19:33, and never in the seven days before.
resource "aws_cloudwatch_log_metric_filter" "c4" {
  name           = "c4_Bytes_out_to_ports_that_are_not_approved"
  log_group_name = var.log_group_name
  pattern        = "[version, account, eni, source=\"10.0.1.20\", destination, srcport, destport!=\"443\", protocol=\"6\", packets, bytes, windowstart, windowend, action=\"ACCEPT\", flowlogstatus]"

  metric_transformation {
    name      = "c4_Bytes_out_to_ports_that_are_not_approved"
    namespace = "Tidemark"
    value     = "$bytes"
    unit      = "Bytes"
  }
}

resource "aws_cloudwatch_metric_alarm" "c4" {
  alarm_name          = "Bytes out to ports that are not approved"
  alarm_description   = "C4 Alarm: bytes out to ports that are not approved: F5: it would have fired at 19:33, and never in the seven days before."
  namespace           = "Tidemark"
  metric_name         = "c4_Bytes_out_to_ports_that_are_not_approved"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10000000
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn]
}

# C5: Alarm: the flow log fell silent
#   Nothing else tells that nothing is recorded.
resource "aws_cloudwatch_metric_alarm" "c5" {
  alarm_name          = "Flow log silent"
  alarm_description   = "C5 Alarm: the flow log fell silent: Nothing else tells that nothing is recorded."
  namespace           = "AWS/Logs"
  metric_name         = "IncomingLogEvents"
  dimensions          = { LogGroupName = var.log_group_name }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 900
  evaluation_periods  = 4
  datapoints_to_alarm = 2
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn]
}

# C6: Rate rule before the web server
#   F4: 198.51.100.7 opened 1,904 connections to port 80 in five minutes; no other address more than 31.
resource "aws_wafv2_web_acl" "c6" {
  name  = "web-guessing"
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "web-guessing"
    priority = 0

    action {
      dynamic "count" {
        for_each = var.rate_action == "count" ? [1] : []

        content {}
      }

      dynamic "block" {
        for_each = var.rate_action == "block" ? [1] : []

        content {}
      }
    }

    statement {
      rate_based_statement {
        limit                 = 310
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "web-guessing"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "web-guessing"
    sampled_requests_enabled   = true
  }
}

# A web ACL stands before a load balancer, an API or the like, never before an instance. It counts requests; 310
# in 300 seconds came from connections, which may carry several. For: 10.0.1.20.
resource "aws_wafv2_web_acl_association" "c6" {
  count        = var.c6_target_arn == "" ? 0 : 1
  resource_arn = var.c6_target_arn
  web_acl_arn  = aws_wafv2_web_acl.c6.arn
}

# C7: Flow log with the fields that were missing
#   Who began a connection, and whether a NAT gateway stood between, could not be told.
resource "aws_flow_log" "c7" {
  vpc_id                   = var.vpc_id
  traffic_type             = "ALL"
  max_aggregation_interval = 60
  log_destination_type     = "s3"
  log_destination          = var.flow_log_bucket_arn
  log_format               = "$${version} $${account-id} $${interface-id} $${srcaddr} $${dstaddr} $${pkt-srcaddr} $${pkt-dstaddr} $${tcp-flags}"
  tags                     = { Name = "tidemark-c7" }

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = false
    per_hour_partition         = true
  }
}
