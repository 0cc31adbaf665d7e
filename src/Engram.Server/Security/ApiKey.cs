using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Security;

/// <summary>Keys as callers send them, <c>ek_&lt;id&gt;_&lt;secret&gt;</c>: how they are made and checked.</summary>
internal static class ApiKey
{
    private const string Prefix = "ek_";
    private const int IdBytes = 8;
    private const int SecretBytes = 32;
    private const int SaltBytes = 16;

    /// <summary>Characters of an id: hexadecimal, so that it never holds the separator.</summary>
    public const int IdLength = 2 * IdBytes;

    /// <summary>Makes a key; its secret is in what callers send and nowhere else.</summary>
    public static (string Key, StoredKey Stored) Create(CreateKeyRequest request, DateTimeOffset now)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var info = new KeyInfo
        {
            Id = id,
            Name = request.Name,
            Roles = request.Roles,
            Learners = request.Learners,
            Created = now,
            Expires = request.Expires,
        };
        return ($"{Prefix}{id}_{secret}", new StoredKey(info, salt, Hash(salt, secret)));
    }

    /// <summary>The parts of a key; false where it is none.</summary>
    public static bool TryParse(ReadOnlySpan<char> key, out ReadOnlySpan<char> id, out ReadOnlySpan<char> secret)
    {
        id = secret = default;
        if (!key.StartsWith(Prefix, StringComparison.Ordinal) || key.Length < Prefix.Length + IdLength + 2) return false;
        if (key[Prefix.Length + IdLength] != '_') return false;
        id = key.Slice(Prefix.Length, IdLength);
        secret = key[(Prefix.Length + IdLength + 1)..];
        return secret.Length <= 2 * SecretBytes;
    }

    /// <summary>Whether a secret is a key's, in a time that does not depend on where they differ.</summary>
    public static bool Matches(StoredKey stored, ReadOnlySpan<char> secret) =>
        CryptographicOperations.FixedTimeEquals(stored.Hash, Hash(stored.Salt, secret));

    private static byte[] Hash(byte[] salt, ReadOnlySpan<char> secret)
    {
        Span<byte> salted = stackalloc byte[SaltBytes + 8 * SecretBytes];
        salt.CopyTo(salted);
        var length = salt.Length + Encoding.UTF8.GetBytes(secret, salted[salt.Length..]);
        return SHA256.HashData(salted[..length]);
    }
}
