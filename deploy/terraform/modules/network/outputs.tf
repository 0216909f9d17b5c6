output "vpc_id" {
  value = aws_vpc.this.id
}

output "cidr" {
  value = var.cidr
}

output "private_subnet_ids" {
  description = "In the order of the zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "public_subnet_ids" {
  description = "In the order of the zones."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}
