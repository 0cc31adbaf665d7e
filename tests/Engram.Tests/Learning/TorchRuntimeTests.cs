using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Engram.Learning;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class TorchRuntimeTests
{
    // The first level-1 cache of an EPYC 9004: 64 bytes a line, 8 ways, 64 sets.
    private static readonly (int, int, int, int) s_level1 = (0x4121, 0x01C0003F, 0x3F, 0);

    [Theory]
    [InlineData("AuthenticAMD", new[] { 0, 1, 2, 3 }, false)]
    [InlineData("AuthenticAMD", new[] { 0, 1, 2 }, true)]
    [InlineData("AuthenticAMD", new int[0], true)]
    [InlineData("GenuineIntel", new int[0], false)]
    public void Caches_are_hidden_where_an_AMD_processor_tells_nothing_of_one(string vendor, int[] told, bool hidden) => Assert.Equal(
        hidden, TorchRuntime.HidesCaches((leaf, cache) => leaf == 0 ? Registers(vendor) : told.Contains(cache) ? s_level1 : default));

    [Fact]
    public void A_longer_time_has_more_spins() =>
        Assert.InRange(TorchRuntime.Spins(TimeSpan.FromMicroseconds(25)), 100, TorchRuntime.Spins(TimeSpan.FromMilliseconds(25)) - 1);

    [Theory] // in blocks made for caches of one byte oneDNN has gradients or responses of five of these wrong
    [InlineData(28, 1, 3, 3, 2, 1)]
    [InlineData(14, 3, 4, 3, 1, 2)]
    [InlineData(32, 20, 20, 3, 1, 1)]
    [InlineData(32, 20, 40, 3, 2, 1)]
    [InlineData(32, 20, 40, 1, 2, 1)]
    [InlineData(8, 80, 160, 3, 2, 1)]
    public void Convolutions_are_right_on_this_machine(int size, int inputs, int outputs, int kernel, int stride, int dilation)
    {
        TorchRuntime.KeepOffHiddenCaches();
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var images = randn([6, inputs, size, size], generator: generator);
        var filters = randn([outputs, inputs, kernel, kernel], generator: generator);
        AssertRight(images, filters, stride, kernel / 2, dilation);
    }

    [Fact]
    public void Random_convolutions_are_right_on_this_machine()
    {
        TorchRuntime.KeepOffHiddenCaches();
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[1, 2], Gen.Int[5, 20]).Sample(
            (samples, inputs, outputs, kernel, stride, dilation, size) =>
            {
                using var scope = NewDisposeScope();
                using var generator = new Generator((ulong)(inputs + (100 * outputs)));
                var (images, filters) = (randn([samples, inputs, size, size], generator: generator), randn([outputs, inputs, kernel, kernel], generator: generator));
                AssertRight(images, filters, Math.Min(stride, kernel), kernel / 2, dilation);
            },
            iter: 150, threads: 1);
    }

    [Fact] // where caches are hidden, that it can be told; where libtorch's symbols change, this fails there
    public void OneDnn_is_used() => Assert.True(TorchRuntime.KeepOffHiddenCaches());

    [Fact]
    public void Symbols_are_where_the_loader_has_them()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF is Linux's format");
        _ = ones(1); // loads libtorch
        const string First = "_ZN2at13globalContextEv", Second = "_ZN2at7Context20setUserEnabledMkldnnEb";
        using var process = Process.GetCurrentProcess();
        var library = process.Modules.Cast<ProcessModule>().First(module => module.ModuleName == "libtorch_cpu.so");
        var handle = NativeLibrary.Load(library.FileName);
        Assert.Equal(
            [NativeLibrary.GetExport(handle, First), NativeLibrary.GetExport(handle, Second), null],
            OneDnnCaches.Find(library.FileName, First, Second, "no such symbol").Select(place => library.BaseAddress + place));
    }

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    [InlineData("\u007fELF\u0002\u0001")]
    [InlineData("\u007fELF\u0002\u0001 of which the table of sections is cut off, as of a file that was not copied whole")]
    public void A_file_that_is_no_whole_library_has_no_symbols(string content)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, content);
        Assert.Equal([null], OneDnnCaches.Find(path, "main"));
        File.Delete(path);
        Assert.Equal([null], OneDnnCaches.Find(path, "main"));
    }

    private static void AssertRight(Tensor images, Tensor filters, int stride, int padding, int dilation)
    {
        var exact = Convolve(images.to(ScalarType.Float64), filters.to(ScalarType.Float64));
        foreach (var (what, single, @double) in Convolve(images, filters).Zip(exact, (own, other) => (own.What, own.Value, other.Value)))
        {
            var off = ((single.to(ScalarType.Float64) - @double).abs().max() / @double.abs().max()).item<double>();
            Assert.True(off < 1e-5, $"{what}: {off:g3} off, expected less than 1e-5");
        }

        (string What, Tensor Value)[] Convolve(Tensor images, Tensor filters)
        {
            var (own, weights) = (images.detach().requires_grad_(), filters.detach().requires_grad_());
            var response = nn.functional.conv2d(own, weights, strides: [stride], padding: [padding], dilation: [dilation]);
            response.pow(2).sum().backward();
            return [("response", response.detach()), ("gradient of images", own.grad!), ("gradient of filters", weights.grad!)];
        }
    }

    // EBX, EDX and ECX of leaf 0 hold the name, in this order.
    private static (int, int, int, int) Registers(string vendor)
    {
        var bytes = Encoding.ASCII.GetBytes(vendor);
        return (0x10, BitConverter.ToInt32(bytes, 0), BitConverter.ToInt32(bytes, 8), BitConverter.ToInt32(bytes, 4));
    }
}
