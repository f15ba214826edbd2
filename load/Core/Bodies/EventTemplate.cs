namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>An event's type and its payload, a JSON object as UTF-8 bytes; the base of many requests.</summary>
internal sealed record EventTemplate(string Type, byte[] Payload);
