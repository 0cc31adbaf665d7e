using System.Runtime.InteropServices;

namespace Engram.Build;

/// <summary>The C++ standard library that the system's loader would give a program.</summary>
/// <remarks>
/// It is looked for in the usual folders, not with <c>ldconfig</c>, which is not on every user's path;
/// an <c>LD_LIBRARY_PATH</c> that holds for one run only is not followed.
/// </remarks>
/// <param name="Path">Full path of the file that was read.</param>
/// <param name="Versions">Every version that it defines.</param>
internal sealed record SystemCxxLibrary(string Path, IReadOnlyList<string> Versions)
{
    /// <summary>The library's file name on every Linux with GNU libstdc++.</summary>
    public const string FileName = "libstdc++.so.6";

    private const string Prefix = "GLIBCXX_";

    /// <summary>The highest GLIBCXX version defined, such as <c>GLIBCXX_3.4.30</c>, or null if there is none.</summary>
    public string? Highest =>
        Versions.Where(name => NumberOf(name) is not null).MaxBy(NumberOf);

    /// <summary>Whether a program that asks for this version finds it here.</summary>
    public bool Defines(string version) => Versions.Contains(version, StringComparer.Ordinal);

    /// <summary>The first readable library in the usual folders, or null where there is none.</summary>
    public static SystemCxxLibrary? Find() => Find(UsualFolders());

    /// <summary>The first readable library in these folders, or null where there is none.</summary>
    public static SystemCxxLibrary? Find(IEnumerable<string> folders)
    {
        foreach (string folder in folders)
        {
            string path = System.IO.Path.Combine(folder, FileName);
            if (!File.Exists(path)) continue;
            try
            {
                return Read(path);
            }
            catch (Exception e) when (e is BadImageFormatException or IOException or UnauthorizedAccessException)
            {
                // Such as a 32-bit library in /usr/lib: the next folder may hold the right one.
            }
        }
        return null;
    }

    /// <summary>Reads one library.</summary>
    /// <exception cref="BadImageFormatException">It is not a 64-bit little-endian ELF file, or is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SystemCxxLibrary Read(string path) =>
        new(path, ElfVersionDefinitions.Read(ElfImage.Read(File.ReadAllBytes(path))));

    private static IEnumerable<string> UsualFolders()
    {
        string? triple = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "x86_64-linux-gnu",
            Architecture.Arm64 => "aarch64-linux-gnu",
            _ => null,
        };
        if (triple is not null)
        {
            yield return "/usr/lib/" + triple;
            yield return "/lib/" + triple;
        }
        yield return "/usr/lib64";
        yield return "/lib64";
        yield return "/usr/lib";
        yield return "/lib";
    }

    private static Version? NumberOf(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal)
        && Version.TryParse(name[Prefix.Length..], out Version? number)
            ? number
            : null;
}
