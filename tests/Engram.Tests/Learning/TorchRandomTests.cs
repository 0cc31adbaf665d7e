using System.Buffers.Binary;
using Engram.Learning;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class TorchRandomTests
{
    [Fact]
    public void Every_state_that_torch_comes_to_is_one()
    {
        using var lent = new TorchRandom(7);
        using var scope = NewDisposeScope();
        for (var drawn = 0; drawn < 1300; drawn++)
        {
            Assert.True(TorchRandom.IsState(TorchRandom.Current()), $"after {drawn} numbers");
            rand(1);
        }
    }

    [Theory]
    [InlineData(8, 0)] // none left
    [InlineData(8, -1)]
    [InlineData(8, 625)]
    [InlineData(8, 600)] // the last of them beyond the numbers there are
    [InlineData(12, 0)] // not seeded
    [InlineData(16, 625)]
    [InlineData(16, -1)]
    [InlineData(20, 1)]
    public void What_torch_would_end_the_process_for_or_read_beyond_its_numbers_is_none(int at, int value)
    {
        using var lent = new TorchRandom(7);
        using var scope = NewDisposeScope();
        for (var drawn = 0; drawn < 100; drawn++) rand(1);
        var bytes = TorchRandom.Current().data<byte>().ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);
        Assert.False(TorchRandom.IsState(tensor(bytes)));
        Assert.False(TorchRandom.IsState(tensor(bytes[1..])));
    }
}
