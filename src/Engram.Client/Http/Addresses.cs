namespace Engram.Client.Http;

/// <summary>Addresses of operations.</summary>
internal static class Addresses
{
    /// <summary>Adds a value to the query; null adds none.</summary>
    public static string With(string path, string name, string? value) =>
        value is null ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{name}={Uri.EscapeDataString(value)}";
}
