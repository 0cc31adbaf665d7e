using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text;

namespace Engram.Learning;

/// <summary>Tells oneDNN that it does not know this machine's caches, where it takes three of them to be of one byte.</summary>
/// <remarks>
/// oneDNN asks CPUID for the sizes. Where a virtual machine hides an AMD processor's, every field is zero, each of which stands for one more, and their product is a cache of
/// one byte. Blocks made for it give wrong numbers and are written beyond their memory. Where oneDNN knows of no cache it takes usual sizes, and all is well, but it has no way to be
/// told. So the number of caches is set to zero where oneDNN keeps it, provided that all that is there is what this mistake leaves: function and place are looked up in
/// libtorch's own table of symbols, since the loader does not know of them. Where anything differs nothing is changed.
/// </remarks>
internal static unsafe class OneDnnCaches
{
    private const string Exported = "_ZN2at13globalContextEv"; // the loader knows where it is, which tells whether file and memory agree
    private const string Description = "_ZN4dnnl4impl3cpu3x643cpuEv"; // dnnl::impl::cpu::x64::cpu(): describes the processor once, and returns where

    // Of Xbyak::util::Cpu, in numbers of 32 bits.
    private const int Sizes = 7, Levels = 27;

    /// <summary>Does it. Call before oneDNN's first work.</summary>
    /// <returns>Whether it was done.</returns>
    public static bool Forget()
    {
        if (!NativeLibrary.TryLoad("libtorch_cpu", typeof(OneDnnCaches).Assembly, null, out var torch)
            || !NativeLibrary.TryGetExport(torch, Exported, out var exported)) return false;
        using var process = Process.GetCurrentProcess();
        var library = process.Modules.Cast<ProcessModule>().FirstOrDefault(module => module.ModuleName == "libtorch_cpu.so");
        if (library is null || Find(library.FileName, Exported, Description) is not [{ } known, { } wanted]) return false;
        if (library.BaseAddress + known != exported) return false;
        var cpu = ((delegate* unmanaged<int*>)(library.BaseAddress + wanted))();
        if (cpu[Levels] != 3 || new ReadOnlySpan<int>(cpu + Sizes, 3).ContainsAnyExcept(1)) return false;
        cpu[Levels] = 0;
        return true;
    }

    /// <summary>Where symbols lie in a 64-bit ELF library, those that are local to it too.</summary>
    /// <param name="path">The library.</param>
    /// <param name="names">As the compiler writes them.</param>
    /// <returns>Addresses, relative to where the library is loaded; null for what it does not have.</returns>
    internal static nint?[] Find(string path, params string[] names)
    {
        var places = new nint?[names.Length];
        try
        {
            using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            var bytes = new ReadOnlySpan<byte>((byte*)view.SafeMemoryMappedViewHandle.DangerousGetHandle(), (int)Math.Min(view.Capacity, int.MaxValue));
            for (var i = 0; i < names.Length; i++) places[i] = Find(bytes, names[i]);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Not to be read, or not whole: as if it had none of them.
        }
        return places;
    }

    private static nint? Find(ReadOnlySpan<byte> file, string name)
    {
        const int Section = 64, SymbolTable = 2, Symbol = 24;
        if (!file.StartsWith("\u007FELF\u0002\u0001"u8)) return null; // 64 bits, lowest byte first
        var sections = file[(int)Read<long>(file, 40)..];
        for (var i = 0; i < Read<ushort>(file, 60); i++)
        {
            var section = sections[(i * Section)..];
            if (Read<int>(section, 4) != SymbolTable) continue;
            var names = Content(file, sections[(Read<int>(section, 40) * Section)..]);
            var place = 1 + names.IndexOf(Encoding.ASCII.GetBytes($"\0{name}\0"));
            if (place == 0) continue;
            for (var symbols = Content(file, section); symbols.Length >= Symbol; symbols = symbols[Symbol..])
                if (Read<int>(symbols, 0) == place) return (nint)Read<long>(symbols, 8);
        }
        return null;
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> file, ReadOnlySpan<byte> section) =>
        file.Slice((int)Read<long>(section, 24), (int)Read<long>(section, 32));

    private static T Read<T>(ReadOnlySpan<byte> bytes, int at) where T : unmanaged => MemoryMarshal.Read<T>(bytes[at..]);
}
