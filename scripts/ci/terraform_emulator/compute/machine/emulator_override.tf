# The emulator's machines forget these attributes.
resource "aws_instance" "this" {
  lifecycle {
    ignore_changes = [ami, ebs_optimized, metadata_options, root_block_device]
  }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  lifecycle {
    ignore_changes = [description]
  }
}
