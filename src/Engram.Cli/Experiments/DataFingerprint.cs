using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Engram.Cli.Images;

namespace Engram.Cli.Experiments;

/// <summary>
/// Tells data apart, so that nothing computed from other files is taken for a result of these. Images count by name and size, for
/// there may be hundreds of thousands: one that is replaced by another of the very same size is not noticed.
/// </summary>
internal static class DataFingerprint
{
    /// <summary>The same for the same files, wherever they are.</summary>
    /// <param name="path">Where the data are: a folder, or their one file.</param>
    /// <param name="files">The files that are read; what else is there does not count.</param>
    /// <exception cref="InvalidDataException">A file is not there; the message names it.</exception>
    public static string Of(string path, IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, file) in files
            .Select(file => (Name: file == path ? Path.GetFileName(file) : Path.GetRelativePath(path, file).Replace('\\', '/'), Path: file))
            .OrderBy(file => file.Name, StringComparer.Ordinal))
            Add(hash, name, file);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static void Add(IncrementalHash hash, string name, string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) throw new InvalidDataException($"{path}: no such file, expected the data there");
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\n{file.Length}\n")));
        if (ImageFile.IsImage(name)) return;
        using var content = file.OpenRead();
        hash.AppendData(SHA256.HashData(content));
    }
}
