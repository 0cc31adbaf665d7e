using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class TorchThreadsTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(1000, 1)]
    [InlineData(1000, 2)]
    [InlineData(1000, 5)]
    public void Each_number_is_taken_once_by_the_time_it_returns(int count, int threads)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        try
        {
            var taken = new int[count];
            TorchThreads.For(count, i => Interlocked.Increment(ref taken[i]));
            Assert.All(taken, times => Assert.Equal(1, times));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void On_Linux_torchs_own_threads_do_the_work() => Assert.Equal(OperatingSystem.IsLinux(), TorchThreads.AreShared);
}
