//! What operators read in their logs is shown as it is.

use super::*;

#[test]
fn paths_are_shown_whole() {
    for path in [
        "/latest/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/ipv4-associations/203.0.113.25",
        "/latest/meta-data/network/interfaces/macs/0a:ff:de:ad:be:ef/vpc-ipv6-cidr-blocks",
        "/2021-03-23/dynamic/instance-identity/rsa2048",
        "/latest/meta-data/iam/security-credentials/web-server",
        "/latest/meta-data/iam/security-credentials/eksctl-prod-cluster-nodegroup-NodeInstanceRole-1WYVK5TTJ4QKU",
        "/latest/meta-data/iam/security-credentials/MyStack-InstanceRole3CCE2F1D-1A2B3C4D5E6F7",
        "/latest/meta-data/iam/security-credentials/InfraStack-EcsClusterDefaultAutoScalingGroupInstanceRoleF3A8B2C1-qW7xZ2pLm9Kd",
        "/latest/meta-data/iam/security-credentials/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        "/latest/meta-data/iam/security-credentials/KarpenterNodeRole-my-cluster-prod",
        "/latest/meta-data/iam/security-credentials/AmazonSSMRoleForInstancesQuickSetup",
        "/latest/meta-data/iam/security-credentials/aws-elasticbeanstalk-ec2-role",
        "//latest/./meta-data/%69am/",
        "/latest/meta-data/i-0123456789abcdef0",
        "/latest/meta-data/tags/instance/aws:autoscaling:groupName",
        "/latest/meta-data/tags/instance/aws:cloudformation:stack-id",
        "/latest/meta-data/tags/instance/kubernetes.io/cluster/prod-eu-1",
        "/latest/meta-data/elastic-inference/associations/eia-bfa21c7904f64a82a21b9f4540169ce1",
        "/latest/meta-data/elastic-gpus/associations/egp-0123456789abcdef0",
        "/latest/meta-data/managed-ssh-keys/signer-ocsp/example-cert-thumbprint",
        "/latest/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/ipv6-prefix",
        "/latest/meta-data/events/recommendations/rebalance",
        "/latest/meta-data/public-keys/0/openssh-key",
        "/latest/meta-data/block-device-mapping/ephemeral0",
        "/latest/meta-data/metrics/vhostmd",
        "/latest/meta-data/placement/availability-zone-id",
        "/wp-login.php",
        "/phpmyadmin/index.php",
        "/.git/config",
        "/cgi-bin/luci/;stok=/locale",
        "/computeMetadata/v1/instance/service-accounts/default/token",
        "/metadata/instance",
        "/opc/v2/instance",
        "/openstack/latest/meta_data.json",
        "/hetzner/v1/metadata",
        "/v1.0/instance-identity",
        "/latest/api/token",
        "/%/%4/%zz/%c3%a4/",
        "/latest/dynamic/instance-identity/document/",
        "/2009-04-04/meta-data/block-device-mapping/ebs1",
        "/latest/meta-data/network/interfaces/macs/0a:ff:de:ad:be:ef/ipv6s/2001:db8:85a3::8a2e:370:7334",
    ] {
        assert_eq!(target(path), path);
    }
}

#[test]
fn user_agents_are_shown_whole() {
    for agent in [
        "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.6 cfg/retry-mode#legacy",
        "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64",
        "aws-sdk-rust/1.3 os/linux lang/rust/1.95",
        "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.22.4 md/GOOS#linux md/GOARCH#amd64 ft/ec2-imds",
        "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.22.4 md/GOOS#linux md/GOARCH#arm64 api/imds#1.16.30 m/E,N,b,C,Z,AB,n",
        "aws-sdk-java/2.20.0 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.6",
        "aws-sdk-java/2.29.52 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.230-223.885.amzn2.x86_64 lang/java#17.0.13 md/OpenJDK_64-Bit_Server_VM#17.0.13+11-LTS md/vendor#Amazon.com_Inc. md/en_US m/D,E,Z,b,AA",
        "aws-load-balancer-controller/v2.4.7",
        "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1017-aws exe/x86_64.ubuntu.22 prompt/off command/sts.get-caller-identity",
        "aws-cli/2.27.31 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0-1029-aws md/arch#x86_64 lang/python#3.13.3 md/pyimpl#CPython m/b,E,C,Z,D,n,AB cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.24 md/prompt#off md/command#s3.ls",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
        "APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) terraform-provider-aws/5.17.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go/1.44.262 (go1.20.7; linux; amd64)",
        "Vector/0.34.1 (x86_64-unknown-linux-gnu 86f1c22 2023-11-16 14:59:10.486846964)",
        "amazon-ssm-agent/3.2.2303.0",
        "Go-http-client/1.1",
        "Cloud-Init/23.1.2-0ubuntu0~22.04.1",
        "cloud-init/24.1.3-0ubuntu3.3",
        "aws-sdk-nodejs/2.1574.0 linux/v18.19.1 promise",
        "aws-sdk-js/3.540.0 ua/2.1 os/linux#6.1.82-99.168.amzn2023.x86_64 lang/js md/nodejs#20.11.1 m/E,g",
        "kubelet/v1.27.1-eks-2f008fe (linux/amd64) kubernetes/abfec7d",
        "kube2iam/0.11.2 aws-sdk-go/1.44.180 (go1.19.5; linux; amd64) S3Manager",
        "aws-sdk-cpp/1.11.234 ua/2.1 md/aws-crt os/Linux/6.2.0-1018-aws md/arch/x86_64 lang/c++/C++11 md/GCC/12.3.0 exec-env/AWS_ECS_FARGATE",
        "aws-sdk-php/3.305.4 ua/2.0 OS/Linux/5.15.0-1055-aws lang/php#8.2.7 GuzzleHttp/7",
        "aws-sdk-ruby3/3.193.0 ua/2.0 api/ec2_metadata os/linux md/x86_64 lang/ruby#3.3.1 md/3.3.1",
        "aws-sdk-dotnet-coreclr/3.7.304.18 ua/2.0 os/linux#5.10 lang/.NET_Core#8.0.4 md/aws-sdk-dotnet-core#3.7.303.25 cfg/retry-mode#legacy md/ClientAsync",
        "AmazonCloudWatchAgent/1.300031.1b317 (go1.21.5; linux; amd64)",
        "ecs-agent/1.82.1 (b1f1a4ac) (+http://github.com/aws/amazon-ecs-agent)",
        "amazon-ecs-agent - v1.82.1-b1f1a4ac linux",
        "prometheus/2.51.0",
        "Python-urllib/3.11",
        "curl/8.5.0",
        "Wget/1.21.4",
        "python-requests/2.31.0",
        "okhttp/4.12.0",
        "Apache-HttpClient/4.5.13 (Java/11.0.22)",
        "Datadog Agent/7.52.0",
        "Datadog-Agent/7.52.1+git.0.5c3e8a1",
        "fluent-bit/3.0.4",
        "Fluent-Bit",
        "telegraf/1.30.1",
        "Consul/1.18.1 (go1.22.1; linux/amd64)",
        "Packer/1.10.2 (+https://www.packer.io/; go1.21.8; linux/amd64)",
        "Ansible/2.16.5",
        "ansible-httpget",
        "Chef Knife/18.4.12 (ruby-3.1.2-p20; ohai-18.1.11; x86_64-linux; +http://opscode.com)",
        "facter/4.6.1",
        "Karpenter aws-sdk-go-v2/1.26.1 karpenter.sh-0.35.4",
        "rusoto/0.48.0 rust/1.65.0 linux",
        "aws-sdk-swift/1.0.15 ua/2.1 api/imds#1.0 os/macOS#14.5.0 lang/swift#5.10",
        "PowerShell/7.4.2 (Linux 5.10.102.1-microsoft-standard-WSL2 #1 SMP)",
        "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.20348.2400",
        "ec2-metadata/0.1.3",
        "eksctl/0.175.0",
        "cert-manager-controller/v1.14.4 (linux/amd64) cert-manager/4f9e8f1a1c9fb3ac",
        "external-dns/v0.14.1",
        "aws-node-termination-handler/v1.22.0",
        "agent/1.0 (instance i-0123456789abcdef0 of subnet-0fedcba9876543210, vpc-0a1b2c3d4e5f60718)",
        "aws-sdk-go-v2/1.40.1 ua/2.1 os/linux lang/go#1.25.4 md/GOOS#linux m/Z,b,E,C,D,n,AB,d,i,AA,B,f,G",
    ] {
        let shown = user_agent(agent);
        let wanted = agent.chars().take(200).collect::<String>();
        assert_eq!(shown.trim_end_matches('…'), wanted, "{agent}");
    }
}

#[test]
fn hosts_are_shown_whole() {
    for name in [
        "ip-10-0-0-10.eu-west-1.compute.internal",
        "ec2-198-51-100-25.compute-1.amazonaws.com",
        "169.254.169.254:80",
        "[fd00:ec2::254]:80",
        "localhost:1338",
        "i-0123456789abcdef0.us-west-2.compute.internal",
        "imds.example.com",
        "vm-0f8fad5b-d9cb-469f-a165-70867728950e.internal",
        "my-service.kube-system.svc.cluster.local",
        "169.254.169.254.nip.io",
        "xn--bcher-kva.example",
        "a8d4c3f2e1b0-1234567890.elb.eu-west-1.amazonaws.com",
        "7f000001.c0a80001.rbndr.us",
    ] {
        assert_eq!(host(name), name);
    }
}

#[test]
fn methods_are_shown_whole() {
    for name in ["GET", "PUT", "OPTIONS", "PROPFIND", "VERSION-CONTROL", "UPDATEREDIRECTREF"] {
        assert_eq!(method(name), name);
    }
}
