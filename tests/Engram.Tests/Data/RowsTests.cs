using Engram.Data;
using Engram.Models;
using static TorchSharp.torch;

namespace Engram.Tests.Data;

public class RowsTests
{
    [Theory]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Int64)]
    public void Gathered_rows_are_those_of_index_select(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var source = arange(7 * 3 * 5).view(7, 3, 5).to(type);
        long[] indices = [6, 0, 3, 3];
        var rows = Rows.Gather(source, indices);
        Assert.Equal(type, rows.dtype);
        Assert.True(rows.equal(source.index_select(0, tensor(indices))).all().item<bool>());
        var turned = source.transpose(1, 2);
        Assert.True(Rows.Gather(turned, indices).equal(turned.index_select(0, tensor(indices))).all().item<bool>());
        Assert.Equal(0, Rows.Gather(source, []).shape[0]);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(7)]
    public void An_index_that_is_no_row_is_refused(long index)
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>(() => Rows.Gather(zeros(7, 2), [0, index]));
    }

    [Fact]
    public void Written_rows_are_those_of_index_copy()
    {
        using var scope = NewDisposeScope();
        var (ours, theirs, source) = (zeros(9, 4), zeros(9, 4), rand(5, 4));
        Assert.True(Rows.TryWrite(ours, [8, 2], source, [1, 4]));
        theirs.index_copy_(0, tensor(new long[] { 8, 2 }), source.index_select(0, tensor(new long[] { 1, 4 })));
        Assert.True(ours.equal(theirs).all().item<bool>());
        Assert.False(Rows.TryWrite(ours, [0], rand(5, 3), [0]));
        Assert.False(Rows.TryWrite(ours, [0], rand(5, 4).to(ScalarType.Float64), [0]));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.1307, 0.3081)]
    public void Scaled_bytes_have_the_bits_that_torch_gives_them(double mean, double std)
    {
        using var scope = NewDisposeScope();
        foreach (var count in new[] { 256, 255, 33, 1 })
        {
            var bytes = arange(count).to(ScalarType.Byte).view(1, count);
            var unit = bytes.to(ScalarType.Float32).div_(255);
            var reference = mean == 0 && std == 1 ? unit : unit.sub(mean).div_(std);
            Assert.Equal(reference.data<float>().ToArray(), new InputScaling(mean, std).Apply(bytes).data<float>().ToArray());
        }
    }
}
