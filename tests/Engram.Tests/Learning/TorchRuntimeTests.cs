using System.Text;
using Engram.Learning;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class TorchRuntimeTests
{
    // The first level-1 cache of an EPYC 9004: 64 bytes a line, 8 ways, 64 sets.
    private static readonly (int, int, int, int) s_level1 = (0x4121, 0x01C0003F, 0x3F, 0);

    [Theory]
    [InlineData("AuthenticAMD", true, false)]
    [InlineData("AuthenticAMD", false, true)]
    [InlineData("GenuineIntel", false, false)]
    public void Caches_are_hidden_where_an_AMD_processor_tells_nothing_of_them(string vendor, bool tells, bool hidden)
    {
        Assert.Equal(hidden, TorchRuntime.HidesCaches((leaf, _) => leaf == 0 ? Registers(vendor) : tells ? s_level1 : default));
    }

    [Fact]
    public void Convolutions_are_right_on_this_machine()
    {
        TorchRuntime.KeepOffHiddenCaches();
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        foreach (var (size, kernel, stride, channels) in new[] { (28, 3, 2, 8), (14, 1, 2, 64), (32, 3, 1, 64), (8, 3, 2, 256) })
        {
            var images = randn([5, channels, size, size], generator: generator);
            var filters = randn([2 * channels, channels, kernel, kernel], generator: generator);
            var exact = nn.functional.conv2d(images.to(ScalarType.Float64), filters.to(ScalarType.Float64), strides: [stride], padding: [kernel / 2]);
            var single = nn.functional.conv2d(images, filters, strides: [stride], padding: [kernel / 2]);
            var difference = (single.to(ScalarType.Float64) - exact).abs().max().item<double>() / exact.abs().max().item<double>();
            Assert.True(difference < 1e-5, $"{size}x{size}, {channels} channels, kernel {kernel}, stride {stride}: {difference:g3} off, expected less than 1e-5");
        }
    }

    // EBX, EDX and ECX of leaf 0 hold the name, in this order.
    private static (int, int, int, int) Registers(string vendor)
    {
        var bytes = Encoding.ASCII.GetBytes(vendor);
        return (0x10, BitConverter.ToInt32(bytes, 0), BitConverter.ToInt32(bytes, 8), BitConverter.ToInt32(bytes, 4));
    }
}
