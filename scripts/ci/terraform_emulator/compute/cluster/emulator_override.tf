# The emulator's tokens have an http issuer, and its groups forget template and updates.
resource "aws_iam_openid_connect_provider" "this" {
  url = replace(aws_eks_cluster.this.identity[0].oidc[0].issuer, "http://", "https://")
}

resource "aws_eks_node_group" "this" {
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size, launch_template, update_config]
  }
}
